import type { World } from '../world.js'

/** Where rows are being written: the staging tables of what gathers, else the table itself. */
export async function targetTables(world: World): Promise<[string, ...string[]]> {
  const [first, ...more] = await world.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = '_weir_stage' ORDER BY tablename`,
  )
  return first ? [first.name, ...more.map(({ name }) => name)] : [world.table]
}
