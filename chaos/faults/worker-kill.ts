import { kill } from 'node:process'
import { until } from '../../cli/dev/processes.js'
import type { Fault } from './fault.js'

/** The worker's whole process group, by SIGKILL; the supervisor starts it again. */
export const workerKill: Fault = {
  name: 'worker kill -9',
  weight: 10,
  async inject({ world }) {
    const pid = await until(() => world.pid('worker'), 20_000)
    if (pid === undefined) return 'no worker ran'
    kill(-pid, 'SIGKILL')
    return undefined
  },
}
