/** A user's session that reads the table again and again while it is loaded, and a user's views on it. */
import type pg from 'pg'
import { isAway } from './database.js'
import { type Mode, sync } from './modes.js'
import type { World } from './world.js'

export interface Reader {
  stop: () => Promise<string[]>
}

const everyMs = 200
const isMissing = (error: unknown) => (error as { code?: string }).code === '42P01'

/** Views as users write them, over the table as it is now. */
export async function makeViews({ query, table }: World): Promise<void> {
  await query('CREATE SCHEMA chaos_views')
  await query(`CREATE VIEW chaos_views.everything AS SELECT * FROM ${table}`)
  await query(`CREATE VIEW chaos_views.some AS SELECT id, _weir_loaded_at FROM ${table} WHERE id LIKE '%0'`)
}

const counts = (table: string, hasViews: boolean) => {
  const all = `(SELECT count(*) FROM ${table})::int AS rows`
  const views = `(SELECT count(*) FROM chaos_views.everything)::int AS everything, (SELECT count(*) FROM chaos_views.some)::int AS some,
    (SELECT count(*) FROM ${table} WHERE id LIKE '%0')::int AS filtered`
  return `SELECT ${all}${hasViews ? `, ${views}` : ''}`
}

/**
 * Each slice of the newest run with its rows, and how many slices of that run have a part of its time, itself included: one moment, so one statement.
 * A run that follows one that failed takes over what that left open, and may cut the rest elsewhere, so that slices overlap.
 */
const sliceCounts = (table: string) =>
  `WITH slices AS (
     SELECT run_id || ' ' || slice AS slice, range_from::timestamptz AS begins, range_to::timestamptz AS ends FROM _weir.checkpoints
      WHERE range_from IS NOT NULL AND run_id = (SELECT run_id FROM _weir.runs WHERE sync = '${sync}' ORDER BY started_at DESC LIMIT 1))
   SELECT slice, (SELECT count(*) FROM ${table} WHERE datetime >= begins AND datetime < ends)::int AS rows,
          (SELECT count(*) FROM slices o WHERE o.begins < s.ends AND o.ends > s.begins)::int AS sharers
     FROM slices s`

/** What was seen of a slice: its rows, each time they were others, and how many slices may have made them so. */
interface SeenSlice {
  rows: number[]
  sharers: number
}

export function startReader(world: World, hasViews: boolean): Reader {
  const { mode, table } = world
  const problems = new Set<string>()
  const seen: number[] = []
  const seenOfSlice = new Map<string, SeenSlice>()
  let isStopping = false

  const look = async (client: pg.Client) => {
    const [row] = (await client.query<{ rows: number; everything?: number; some?: number; filtered?: number }>(counts(table, hasViews)))
      .rows
    note(seen, row!.rows)
    if (hasViews && (row!.everything !== row!.rows || row!.some !== row!.filtered))
      problems.add(`a view shows other rows than its table: ${JSON.stringify(row)}`)
    if (mode.appears !== 'by slice') return
    const { rows: slices } = await client.query<{ slice: string; rows: number; sharers: number }>(sliceCounts(table))
    for (const { slice, rows, sharers } of slices) {
      const before = seenOfSlice.get(slice) ?? { rows: [], sharers: 0 }
      note(before.rows, rows)
      before.sharers = Math.max(before.sharers, sharers)
      seenOfSlice.set(slice, before)
    }
  }
  const reading = (async () => {
    let client: pg.Client | undefined
    while (!isStopping) {
      try {
        client ??= await world.connect()
        await look(client)
      } catch (error) {
        if (isAway(error)) {
          await client?.end().catch(() => {})
          client = undefined
        } else if (!isMissing(error) || hasViews) problems.add(`a reader failed: ${(error as Error).message}`)
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    // What stands at the end is seen, too.
    client ??= await world.connect()
    await look(client).finally(() => client?.end())
  })()
  return {
    async stop() {
      isStopping = true
      await reading
      return [...problems, ...steps(mode, seen, seenOfSlice)]
    },
  }
}

function note(seen: number[], rows: number): void {
  if (seen.at(-1) !== rows) seen.push(rows)
}

/** Old or new and nothing between, in the whole table or by each slice that has a part of a time; elsewhere rows only become more. */
function steps(mode: Mode, seen: number[], seenOfSlice: Map<string, SeenSlice>): string[] {
  if (mode.appears === 'by batch') {
    const fell = seen.findIndex((rows, at) => at > 0 && rows < seen[at - 1]!)
    return fell < 0 ? [] : [`a reader saw rows disappear: ${seen[fell - 1]}, then ${seen[fell]}`]
  }
  if (mode.appears === 'whole') return seen.length - 1 <= 1 ? [] : [`a reader saw more than the old and the new rows: ${seen.join(', ')}`]
  return [...seenOfSlice]
    .filter(([, { rows, sharers }]) => rows.length > 1 + sharers)
    .map(
      ([slice, { rows, sharers }]) =>
        `a reader saw more than the old and the new rows of slice ${slice}, of ${sharers} in its time: ${rows.join(', ')}`,
    )
}
