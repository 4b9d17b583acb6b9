import { setTimeout as sleep } from 'node:timers/promises'
import type { VendorFault } from '../vendor.js'
import type { Fault } from './fault.js'

const kinds: readonly VendorFault[] = [
  'reset before',
  'reset mid body',
  'server error',
  'throttled',
  'cut body',
  'cut JSON',
  'page twice',
  'empty page',
]

/** The vendor's next one to three pages come wrong. */
export const vendorFaults: readonly Fault[] = kinds.map((kind) => ({
  name: `vendor: ${kind}`,
  weight: 2,
  async inject({ world, random }) {
    const times = kind === 'page twice' || kind === 'empty page' ? 1 : random.whole(1, 3)
    const hit = await Promise.race([world.vendor.fail(kind, times).then(() => true), sleep(20_000).then(() => false)])
    if (!hit) world.vendor.relent()
    return hit ? undefined : 'not enough pages were asked for in 20 s'
  },
}))
