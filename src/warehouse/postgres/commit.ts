/** A batch's own transaction: rows, dead letters, counts and position, or none of it. */
import type pg from 'pg'
import { noCounts, sum } from '../../core/receipt.js'
import type { Counts, SyncMode } from '../../core/types.js'
import type { BatchCommit, Claim } from '../driver.js'
import { markOvertaken, takeOvertaken } from './checkpoints.js'
import { countColumns, countsOf, countValues } from './counts.js'
import type { LetterSeal } from './letter-seal.js'
import { lockName, supersede, writeLetters } from './letters.js'
import { loadRows, type Way } from './load.js'
import { isDataError, isKeyTaken, isRetryable, transaction, warehouseFailure } from './pool.js'
import { exchange } from './replace.js'
import { fenced, heldBy } from './slices.js'
import { openStage, stageName } from './stage.js'
import { refuseOtherMode } from './tables.js'

const commitAttempts = 6

export async function commitBatch(pool: pg.Pool, batch: BatchCommit, seal: () => LetterSeal): Promise<Counts> {
  const { claim } = batch
  const doing = `Loading ${batch.rows} rows of ${claim.sync}/${claim.stream}`
  let way: Way = maySucceedStraight(batch) ? 'straight' : 'merged'
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(pool, doing, (client) => commitOnce(client, batch, way, seal))
    } catch (error) {
      if (way === 'straight' && (isKeyTaken(error) || isDataError(error))) {
        straightRefusals.set(claim, refusalsOf(claim) + 1)
        way = 'merged'
      } else if (way !== 'careful' && isDataError(error)) way = 'careful'
      else if (!isRetryable(error) || attempt >= commitAttempts) throw warehouseFailure(error, doing)
    }
  }
}

/** Batches of an attempt that were tried straight in vain: each costs what it copied until then. */
const straightRefusals = new WeakMap<Claim, number>()
const refusalsOf = (claim: Claim): number => straightRefusals.get(claim) ?? 0
const mostRefusals = 3

/** Most likely none of its keys stands: it gathers in a stage, or its run made the table. */
function maySucceedStraight(batch: BatchCommit): boolean {
  const { spec, isNew } = batch.table
  const isFilled = stageOf(batch) !== undefined || (spec.mode === 'merge' && isNew)
  return isFilled && !batch.hasDeletions && refusalsOf(batch.claim) < mostRefusals
}

/** Where a mode gathers what is read, before it takes the place of what stands. */
function stageOf({ claim, table: { spec } }: BatchCommit): string | undefined {
  if (spec.mode === 'replace') return stageName(claim)
  return spec.mode === 'replace_slice' ? stageName(claim, claim.key) : undefined
}

async function commitOnce(client: pg.ClientBase, batch: BatchCommit, way: Way, seal: () => LetterSeal): Promise<Counts> {
  const { claim, table } = batch
  const { mode } = table.spec
  const home = heldBy(claim)
  const { rows: held } = await client.query<{ is_fresh: boolean; has_letters: boolean; mode: SyncMode | null }>(
    `SELECT pg_advisory_xact_lock_shared(hashtextextended($5, 0)), position IS NULL AS is_fresh,
            EXISTS (SELECT 1 FROM _weir.dead_letters d WHERE d.sync = $6 AND d.stream = $2 AND d.status = 'open') AS has_letters,
            (SELECT mode FROM _weir.tables WHERE table_schema = $7 AND table_name = $8) AS mode
       FROM ${home.table} WHERE ${home.where} FOR UPDATE`,
    [...home.values, lockName(claim), claim.sync, table.spec.schema, table.spec.table],
  )
  if (!held[0]) throw fenced(claim)
  refuseOtherMode(claim, table.spec, held[0].mode ?? undefined)
  const stage = stageOf(batch)
  if (stage !== undefined) await openStage(client, claim, stage, table, mode === 'replace_slice' && held[0].is_fresh)
  // Of two transactions at once each would miss the other's rows.
  if (mode === 'history' || (mode === 'replace_slice' && batch.isLast)) {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 2))', [`${table.spec.schema}.${table.spec.table}`])
  }
  const { segments, rows } = batch
  const { loaded, refused } = await loadRows(client, { table, segments, rows, stage }, way)
  const all = [...batch.letters, ...refused.map(({ letter }) => letter)]
  if (held[0].has_letters) await supersede(client, batch, all)
  await writeLetters(client, claim, all, batch.encrypt ? seal() : undefined, table.spec)
  const deadLetters = all.length
  const { spent, ...used } = batch.used
  const counts: Counts = { ...noCounts(), read: batch.read, deadLetters, ...used }
  if (stage === undefined) Object.assign(counts, { loaded, unchanged: batch.read - deadLetters - loaded })
  // What a snapshot changes is known only when it is whole: a slice's now, a stream's when the stream ends.
  if (mode === 'replace_slice' && batch.isLast) {
    const whole = sum([claim.counts, counts])
    const overtaken = claim.backfill === undefined ? [] : await takeOvertaken(client, claim)
    const changed = await exchange(client, table, stage!, {
      slice: claim.slice,
      overtaken,
      ...(whole.deadLetters > 0 ? { refusedIn: claim } : {}),
    })
    if (claim.backfill === undefined) await markOvertaken(client, claim)
    Object.assign(counts, { ...changed, unchanged: whole.read - whole.deadLetters - changed.loaded })
  }
  const added = countColumns
    .map((column, i) => `${column} = ${column} + $${i + 8}${column === 'warehouse_ms' ? ` + ${tookMs}` : ''}`)
    .join(', ')
  const { rows: now } = await client.query(
    `UPDATE ${home.table} SET position = $5, state = $6, spent = _weir.add_up(spent, $7), idle_claims = 0, last_failure = NULL,
        waiting_since = NULL, waiting_until = NULL, waiting_for = NULL, updated_at = now(), ${added}
      WHERE ${home.where} RETURNING ${countColumns.join(', ')}`,
    [...home.values, JSON.stringify(batch.position), batch.isLast ? 'finished' : 'open', JSON.stringify(spent), ...countValues(counts)],
  )
  return countsOf(now[0]!)
}

/** How long this transaction has taken. */
const tookMs = '(extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)::bigint'
