import type { FailureNote } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Clock } from '../core/ports.js'
import type { RebuildCounts, RebuildReceipt } from '../core/rebuild.js'
import type { Stream } from '../core/types.js'
import { parseJson } from '../http/json.js'
import { Unstorable } from '../schema/cells.js'
import { type Missing, RowEncoder } from '../schema/encode.js'
import { jsonText } from '../schema/json.js'
import { letterKey, versionAt } from '../schema/key.js'
import type { Letter, RawRow, RebuildBatch, RowPlace, TableSpec, Warehouse } from '../warehouse/driver.js'
import { deadLettersOf } from './dead-letters.js'
import { knownTableSpec } from './table-spec.js'
import { openTyper, policyOf, type Typer } from './typer.js'

export interface RebuildTableInput {
  warehouse: Warehouse
  definition: Definition
  /** Under its column policy. */
  stream: Stream
  run: string
  isDryRun: boolean
}

/** After so long the rebuild is handed back, to be called again. */
const workMs = 10 * 60_000

/** Judges whether the table can be rebuilt, and notes that it is. */
export async function startRebuild(input: RebuildTableInput & { hash: string }): Promise<void> {
  const { warehouse, definition, stream, run, isDryRun } = input
  const where = { sync: definition.sync, stream: stream.name }
  if (definition.streams[stream.name]?.raw !== 'keep')
    throw new Failure(
      'config',
      `Sync ${definition.sync} keeps no raw records of ${stream.name} (\`raw: keep\`): there is nothing to rebuild from.`,
      where,
    )
  const spec = await knownTableSpec(warehouse, definition, stream)
  await warehouse.rebuilds.start({ ...where, run, definition: input.hash, isDryRun }, spec)
}

/**
 * Types a table's rows anew from their raw records, by the fields and the policy of today, without asking the vendor. Rows that
 * come out the same are not touched, and none comes or goes. Each page and the position behind it commit together: a kill repeats one page.
 */
export async function rebuildRows(
  input: RebuildTableInput & { clock: Clock; signal: AbortSignal; onProgress: (counts: RebuildCounts) => void },
): Promise<RebuildCounts & { more?: true }> {
  const { warehouse, definition, stream, run, clock } = input
  const startedAt = clock.now().getTime()
  let rebuild = await warehouse.rebuilds.open(run)
  const spec = await knownTableSpec(warehouse, definition, stream)
  const typer = rebuild.isDryRun
    ? await lookingTyper(warehouse, spec)
    : await openTyper(warehouse, rebuild, spec, stream, policyOf(definition, stream))
  const { encrypt = false } = deadLettersOf(definition, stream.name)
  for (;;) {
    input.signal.throwIfAborted()
    const rows = await warehouse.rebuilds.rows(spec, rebuild.position)
    const last = rows.at(-1)
    if (!last) return rebuild.counts
    rebuild = await warehouse.rebuilds.commit(rebuild, { ...(await retyped(rows, last.place, stream, typer, rebuild.isDryRun)), encrypt })
    input.onProgress(rebuild.counts)
    if (clock.now().getTime() - startedAt >= workMs) return { ...rebuild.counts, more: true }
  }
}

/** Settles a rebuild; a second call answers as the first. */
export async function finishRebuild(
  { warehouse, run }: Pick<RebuildTableInput, 'warehouse' | 'run'>,
  { failure, cancelled }: { failure?: FailureNote | undefined; cancelled?: boolean | undefined },
): Promise<RebuildReceipt> {
  return warehouse.rebuilds.finish(run, ({ deadLetters }) => {
    if (cancelled) return { status: 'cancelled' }
    if (failure) return { status: 'failed', failure }
    return { status: deadLetters > 0 ? 'completed_with_dead_letters' : 'completed' }
  })
}

/** What typing needs of a typer. */
type Typing = Pick<Typer, 'table' | 'encoder' | 'extend'>

/** A typer that adds no columns: what would need one is counted as changed. */
async function lookingTyper(warehouse: Warehouse, spec: TableSpec): Promise<Typing> {
  const table = await warehouse.rebuilds.look(spec)
  return {
    table,
    encoder: new RowEncoder(table.columns, undefined, undefined, spec.key, spec.keepsRaw),
    extend: () => Promise.reject(new TypeError('a dry run adds no columns')),
  }
}

async function retyped(
  rows: readonly RawRow[],
  position: RowPlace,
  stream: Stream,
  typer: Typing,
  isDryRun: boolean,
): Promise<Omit<RebuildBatch, 'encrypt'>> {
  for (;;) {
    const missing: Missing = new Map()
    const batch = { rows: [] as RebuildBatch['rows'][number][], letters: [] as Letter[] }
    const counts: RebuildCounts = { examined: rows.length, rewritten: 0, withoutRaw: 0, deadLetters: 0 }
    for (const { place, version, raw } of rows) {
      if (raw === null) {
        counts.withoutRaw++
        continue
      }
      const given = parseJson(raw) as Record<string, unknown>
      const record = stream.policy?.record(given) ?? given
      const letter = (message: string): Letter => ({
        kind: 'record',
        reason: 'record',
        message,
        payload: jsonText(record),
        ...letterKey(record, stream.key),
        ...versionAt(record, typer.table.spec),
      })
      const lacks: Missing = new Map()
      try {
        const line = typer.encoder.encode(record, lacks)
        if (lacks.size === 0) batch.rows.push({ place, version, line, letter })
        else if (isDryRun) counts.rewritten++
        else for (const [id, wanted] of lacks) missing.set(id, wanted)
      } catch (error) {
        if (!(error instanceof Unstorable)) throw error
        batch.letters.push(letter(error.message))
      }
    }
    if (missing.size === 0) return { table: typer.table, ...batch, counts, position }
    await typer.extend(missing)
  }
}
