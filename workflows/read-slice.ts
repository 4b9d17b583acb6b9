import { sleep } from '@temporalio/workflow'
import type { SliceReceipt } from '../src/core/activities.js'
import type { WaitsFor } from '../src/core/failure.js'
import { moment } from './details.js'

/**
 * Calls for a slice until it is at its end, or halved. Where the vendor's quota is spent it sleeps: a timer that the UI shows.
 * @param onWait told of the receipt that makes it sleep, and then that it no longer does
 * @param isStopped asked between calls: the slice is then left at its checkpoint, and nothing is returned
 */
export async function readSlice(
  call: () => Promise<SliceReceipt>,
  onWait: (wait: SliceReceipt | undefined) => void,
  isStopped: () => boolean = () => false,
): Promise<SliceReceipt | undefined> {
  for (;;) {
    const receipt = await call()
    if (receipt.halved || !receipt.more) return receipt
    if (isStopped()) return undefined
    if (receipt.waitUntil === undefined) continue
    onWait(receipt)
    await rest(receipt.waitUntil, receipt.waitsFor)
    onWait(undefined)
  }
}

/** Sleeps until an instant; the timer says what for. */
export const rest = (until: string, what: WaitsFor | undefined): Promise<void> =>
  sleep(Math.max(1, Date.parse(until) - Date.now()), {
    summary: `${what === 'vendor' ? 'the vendor, which is down' : 'quota of the vendor'}, until ${moment(until)}`,
  })
