import { kill } from 'node:process'
import { until } from '../../cli/dev/processes.js'
import type { Fault } from './fault.js'

/** Temporal's server, by SIGKILL; its supervisor starts it again on the same store. */
export const temporalKill: Fault = {
  name: 'temporal kill -9',
  weight: 3,
  async inject({ world }) {
    const pid = await until(() => world.pid('temporal'), 20_000)
    if (pid === undefined) return 'no Temporal ran'
    kill(pid, 'SIGKILL')
    return undefined
  },
}
