import { kill } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../cli/dev/processes.js'
import { heartbeatMs } from '../world.js'

/** Longer than the product waits for what a frozen session holds (src/warehouse/postgres/take-over.ts). */
const holdsMs = heartbeatMs + 8_000

import type { Fault } from './fault.js'

/**
 * A zombie: the worker stands still for two heartbeat time-outs while another one takes its slice, then it goes on with what it held, and
 * its late commit must be refused. One in three stops inside a transaction, and for so long that the other one must end its session.
 */
export const workerStop: Fault = {
  name: 'worker SIGSTOP, SIGCONT',
  weight: 4,
  lasts: true,
  async inject({ world, random, note }) {
    const second = await world.secondWorker()
    try {
      const isInside = random.next() < 1 / 3
      const claimed = new Promise<void>((resolve) => world.proxies.postgres.onNextSent('FOR UPDATE', () => resolve()))
      await Promise.race([isInside ? claimed : sleep(random.whole(500, 2_000)), sleep(4_000)])
      const pid = await until(() => world.pid('worker'), 20_000)
      if (pid === undefined) return 'no worker ran'
      kill(-pid, 'SIGSTOP')
      try {
        await sleep(isInside ? holdsMs : 2 * heartbeatMs + 500)
      } finally {
        kill(-pid, 'SIGCONT')
      }
      // A transaction that finds its epoch gone rolls back.
      const refused = new Promise<boolean>((resolve) => world.proxies.postgres.onNextSent('ROLLBACK', () => resolve(true)))
      if (await Promise.race([refused, sleep(2_000).then(() => false)])) note('late commits refused')
      return undefined
    } finally {
      await second.stop(10_000)
    }
  },
}
