import type { World } from '../world.js'

/** Where rows are being written: the staging table of a snapshot that gathers, else the table itself. */
export async function targetTable(world: World): Promise<string> {
  const [stage] = await world.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = '_weir_stage' ORDER BY tablename LIMIT 1`,
  )
  return stage?.name ?? world.table
}
