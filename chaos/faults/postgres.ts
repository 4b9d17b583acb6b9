import { kill } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../cli/dev/processes.js'
import type { Fault } from './fault.js'

const waitMs = 4_000

/** The postmaster, by SIGKILL, in the middle of a COPY; its supervisor starts it again on the same data. */
export const postgresKill: Fault = {
  name: 'postgres kill -9',
  weight: 4,
  async inject({ world }) {
    const pid = world.pid('postgres')
    if (pid === undefined) return 'no PostgreSQL ran'
    let watch: { cancel: () => void } | undefined
    const copying = new Promise<void>((resolve) => {
      watch = world.proxies.postgres.onNextSent('FROM STDIN', () => {
        kill(pid, 'SIGKILL')
        resolve()
      })
    })
    const hit = await Promise.race([copying.then(() => true), sleep(waitMs).then(() => false)])
    watch?.cancel()
    if (!hit) kill(pid, 'SIGKILL')
    await until(() => (world.pid('postgres') === pid ? undefined : true), 10_000)
    return undefined
  },
}

/** One of Weir's server processes, whichever. */
export const backendEnd: Fault = {
  name: 'pg_terminate_backend',
  weight: 8,
  async inject({ world, random }) {
    const rows = await world.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'weir' ORDER BY backend_start, pid`,
    )
    if (rows.length === 0) return 'Weir held no connection'
    const { pid } = random.pick(rows)
    const [ended] = await world.query<{ ended: boolean }>('SELECT pg_terminate_backend($1) AS ended', [pid])
    return ended!.ended ? undefined : 'the connection was gone already'
  },
}
