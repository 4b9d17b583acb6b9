import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './fault.js'

const targets = ['postgres', 'temporal', 'vendor'] as const

/** Every connection to one of the three is reset. */
export const cuts: readonly Fault[] = targets.map((target) => ({
  name: `cut to ${target}`,
  weight: 3,
  inject: async ({ world }) => (world.proxies[target].cut() > 0 ? undefined : 'no connection was open'),
}))

/** Every piece of data to and from one of the three comes later: by more than a heartbeat allows, at worst. */
export const delays: readonly Fault[] = targets.map((target) => ({
  name: `delay to ${target}`,
  weight: 2,
  lasts: true,
  async inject({ world, random }) {
    world.proxies[target].delay(random.whole(100, 1_000))
    try {
      await sleep(random.whole(1_000, 2_500))
    } finally {
      world.proxies[target].delay(0)
    }
    return undefined
  },
}))
