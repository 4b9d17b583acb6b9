import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from '../world.js'

const patienceMs = 20_000

/** Where rows are being written: the staging tables of what gathers, else the table itself, once it is there: a fault may be the first thing of all. */
export async function targetTables(world: World): Promise<[string, ...string[]]> {
  const startedAt = performance.now()
  for (;;) {
    const found = await written(world)
    if (found || performance.now() - startedAt > patienceMs) return found ?? [world.table]
    await sleep(100)
  }
}

async function written(world: World): Promise<[string, ...string[]] | undefined> {
  const [first, ...more] = await world.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = '_weir_stage' ORDER BY tablename`,
  )
  if (first) return [first.name, ...more.map(({ name }) => name)]
  const [table] = await world.query<{ name: string | null }>('SELECT to_regclass($1)::text AS name', [world.table])
  return table?.name ? [world.table] : undefined
}
