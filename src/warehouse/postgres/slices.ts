import type pg from 'pg'
import type { FailureNote } from '../../core/activities.js'
import { Failure } from '../../core/failure.js'
import { noCounts, sum } from '../../core/receipt.js'
import { sliceKey } from '../../core/slices.js'
import type { Counts, Slice, Used } from '../../core/types.js'
import type { BatchCommit, Claim, Letter, StreamRef } from '../driver.js'
import { countColumns, countsOf, countValues } from './counts.js'
import type { LetterSeal } from './letter-seal.js'
import { lockName, supersede, writeLetters } from './letters.js'
import { loadRows } from './load.js'
import { isDataError, isRetryable, transaction, warehouseFailure } from './pool.js'
import { exchange } from './replace.js'
import { id } from './sql.js'
import { openStage, stageName } from './stage.js'
import { takeOver } from './take-over.js'

export interface SliceRow {
  slice: string
  pass: string
  range_from: string | null
  range_to: string | null
  parent: string | null
}

export const sliceOf = (row: SliceRow): Slice => ({
  pass: row.pass,
  ...(row.range_from === null ? {} : { from: row.range_from }),
  ...(row.range_to === null ? {} : { to: row.range_to }),
  ...(row.parent === null ? {} : { parent: row.parent }),
})

interface ClaimedRow extends SliceRow {
  epoch: string
  position: { resume?: Record<string, unknown>; reached?: string } | null
  state: string
  idle_claims: number
  last_failure: string | null
}

/** Takes the slice for one attempt: the epoch rises, so whoever held it before can no longer commit. Counts begin anew with a new run. */
export async function claim(
  pool: pg.Pool,
  { sync, stream, run, key, owner }: StreamRef & { run: string; key: string; owner: string },
): Promise<Claim> {
  const anew = countColumns.map((column) => `${column} = CASE WHEN run_id = $4 THEN ${column} ELSE 0 END`).join(', ')
  const doing = `Claiming slice ${key} of ${sync}/${stream}`
  const row = await transaction(pool, doing, async (client) => {
    const { rows } = await takeOver(pool, client, () =>
      client.query<ClaimedRow>(
        `UPDATE _weir.checkpoints SET epoch = nextval('_weir.epochs'), owner = $5, ${anew}, spent = CASE WHEN run_id = $4 THEN spent ELSE '{}' END,
         idle_claims = CASE WHEN run_id = $4 THEN idle_claims + 1 ELSE 1 END, run_id = $4, updated_at = now()
       WHERE sync = $1 AND stream = $2 AND slice = $3 RETURNING *`,
        [sync, stream, key, run, owner],
      ),
    )
    return rows[0]
  }).catch((error: unknown) => {
    throw warehouseFailure(error, doing)
  })
  if (!row)
    throw new Failure('fenced', `Slice ${key} of ${sync}/${stream} is no longer planned: it was settled or its state was reset.`, {
      sync,
      stream,
      slice: key,
    })
  return {
    sync,
    stream,
    run,
    key,
    slice: sliceOf(row),
    epoch: Number(row.epoch),
    resume: row.position?.resume,
    reached: row.position?.reached,
    isFinished: row.state !== 'open',
    isHalved: row.state === 'halved',
    counts: countsOf(row as unknown as Record<string, unknown>),
    idleClaims: row.idle_claims,
    lastFailure: row.last_failure ?? undefined,
  }
}

const commitAttempts = 6

export async function commitBatch(pool: pg.Pool, batch: BatchCommit, seal: () => LetterSeal): Promise<Counts> {
  const { claim } = batch
  const doing = `Loading ${batch.rows} rows of ${claim.sync}/${claim.stream}`
  let careful = false
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(pool, doing, (client) => commitOnce(client, batch, careful, seal))
    } catch (error) {
      if (isDataError(error) && !careful) careful = true
      else if (!isRetryable(error) || attempt >= commitAttempts) throw warehouseFailure(error, doing)
    }
  }
}

async function commitOnce(client: pg.ClientBase, batch: BatchCommit, careful: boolean, seal: () => LetterSeal): Promise<Counts> {
  const { claim, table } = batch
  const { mode } = table.spec
  const where = [claim.sync, claim.stream, claim.key, claim.epoch]
  const { rows: held } = await client.query<{ is_fresh: boolean; has_letters: boolean }>(
    `SELECT pg_advisory_xact_lock_shared(hashtextextended($5, 0)), position IS NULL AS is_fresh,
            EXISTS (SELECT 1 FROM _weir.dead_letters d WHERE d.sync = $1 AND d.stream = $2 AND d.status = 'open') AS has_letters
       FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 AND slice = $3 AND epoch = $4 FOR UPDATE`,
    [...where, lockName(claim)],
  )
  if (!held[0]) throw fenced(claim)
  const stage = mode === 'replace' ? stageName(claim) : mode === 'replace_slice' ? stageName(claim, claim.key) : undefined
  if (stage !== undefined) await openStage(client, claim, stage, table, mode === 'replace_slice' && held[0].is_fresh)
  // Of two transactions at once each would miss the other's rows.
  if (mode === 'history' || (mode === 'replace_slice' && batch.isLast)) {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 2))', [`${table.spec.schema}.${table.spec.table}`])
  }
  const { segments, rows } = batch
  const { loaded, refused } = await loadRows(client, { table, segments, rows, run: claim.run, stage }, careful)
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
    const changed = await exchange(client, table, stage!, { slice: claim.slice, ...(whole.deadLetters > 0 ? { refusedIn: claim } : {}) })
    Object.assign(counts, { ...changed, unchanged: whole.read - whole.deadLetters - changed.loaded })
  }
  const added = countColumns
    .map((column, i) => `${column} = ${column} + $${i + 8}${column === 'warehouse_ms' ? ` + ${tookMs}` : ''}`)
    .join(', ')
  const { rows: now } = await client.query(
    `UPDATE _weir.checkpoints SET position = $5, state = $6, spent = _weir.add_up(spent, $7), idle_claims = 0, last_failure = NULL,
        updated_at = now(), ${added} WHERE sync = $1 AND stream = $2 AND slice = $3 AND epoch = $4 RETURNING ${countColumns.join(', ')}`,
    [...where, JSON.stringify(batch.position), batch.isLast ? 'finished' : 'open', JSON.stringify(spent), ...countValues(counts)],
  )
  return countsOf(now[0]!)
}

/** How long this transaction has taken. */
const tookMs = '(extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)::bigint'

const fenced = ({ sync, stream, key }: Claim) =>
  new Failure('fenced', `A newer attempt owns slice ${key} of ${sync}/${stream}; this one wrote nothing.`, { sync, stream, slice: key })

/** Gives the slice back until the vendor may be asked again; what was used in vain is counted. */
export async function release(pool: pg.Pool, claim: Claim, { used, waitUntil }: { used: Used; waitUntil?: string }): Promise<void> {
  const { spent, ...counts } = used
  const added = countColumns.map((column, i) => `${column} = c.${column} + $${i + 7}`).join(', ')
  await pool
    .query(
      `WITH released AS (
         UPDATE _weir.checkpoints c SET idle_claims = 0, spent = _weir.add_up(c.spent, $5), ${added}
          WHERE c.sync = $1 AND c.stream = $2 AND c.slice = $3 AND c.epoch = $4 RETURNING c.run_id, c.stream)
       UPDATE _weir.stream_runs s SET waiting_until = $6 FROM released r WHERE s.run_id = r.run_id AND s.stream = r.stream`,
      [
        claim.sync,
        claim.stream,
        claim.key,
        claim.epoch,
        JSON.stringify(spent),
        waitUntil ?? null,
        ...countValues({ ...noCounts(), ...counts }),
      ],
    )
    .catch((error: unknown) => {
      throw warehouseFailure(error, `Releasing slice ${claim.key}`)
    })
}

export async function note(pool: pg.Pool, claim: Claim, failure: FailureNote): Promise<void> {
  await pool
    .query('UPDATE _weir.checkpoints SET last_failure = $5 WHERE sync = $1 AND stream = $2 AND slice = $3 AND epoch = $4', [
      claim.sync,
      claim.stream,
      claim.key,
      claim.epoch,
      `${failure.reason}: ${failure.message}`.slice(0, 2_000),
    ])
    .catch((error: unknown) => {
      throw warehouseFailure(error, `Noting the failure of slice ${claim.key}`)
    })
}

export async function setAside(pool: pg.Pool, claim: Claim, letter: Letter, state: 'dead_letter' | 'refused'): Promise<void> {
  const doing = `Setting slice ${claim.key} of ${claim.sync}/${claim.stream} aside`
  await transaction(pool, doing, async (client) => {
    // What it had gathered changes nothing.
    const { rowCount } = await client.query(
      `UPDATE _weir.checkpoints SET state = $5, unchanged = read - loaded - dead_letters, updated_at = now()
        WHERE sync = $1 AND stream = $2 AND slice = $3 AND epoch = $4`,
      [claim.sync, claim.stream, claim.key, claim.epoch, state],
    )
    if (rowCount === 0) throw fenced(claim)
    await writeLetters(client, claim, [letter], undefined)
  }).catch((error: unknown) => {
    throw warehouseFailure(error, doing)
  })
}

export async function halve(pool: pg.Pool, claim: Claim, halves: readonly [Slice, Slice]): Promise<void> {
  const doing = `Halving slice ${claim.key} of ${claim.sync}/${claim.stream}`
  const where = [claim.sync, claim.stream, claim.key, claim.epoch]
  // A half may be known already, from an earlier run or an earlier halving: it is read again.
  const counts = countColumns.map(
    (column) => `${column} = excluded.${column} + CASE WHEN c.run_id = excluded.run_id THEN c.${column} ELSE 0 END`,
  )
  await transaction(pool, doing, async (client) => {
    const { rows } = await client.query(
      'SELECT * FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 AND slice = $3 AND epoch = $4 FOR UPDATE',
      where,
    )
    if (!rows[0]) throw fenced(claim)
    // It stays until it is settled: whoever asks for it again, since the answer was lost, learns what became of it.
    const none = countColumns.map((column) => `${column} = 0`).join(', ')
    await client.query(
      `UPDATE _weir.checkpoints SET state = 'halved', position = NULL, spent = '{}', ${none} WHERE sync = $1 AND stream = $2 AND slice = $3 AND epoch = $4`,
      where,
    )
    for (const [i, slice] of halves.entries()) {
      const held = countValues(i === 0 ? countsOf(rows[0]) : noCounts())
      const spent = i === 0 ? rows[0].spent : {}
      await client.query(
        `INSERT INTO _weir.checkpoints AS c (sync, stream, slice, pass, range_from, range_to, parent, run_id, spent, ${countColumns.join(', ')})
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ${held.map((_, at) => `$${at + 10}`).join(', ')})
         ON CONFLICT (sync, stream, slice) DO UPDATE SET state = 'open', position = NULL, run_id = excluded.run_id, spent = excluded.spent, ${counts.join(', ')}`,
        [
          claim.sync,
          claim.stream,
          sliceKey(slice),
          slice.pass,
          slice.from,
          slice.to,
          slice.parent ?? null,
          claim.run,
          JSON.stringify(spent),
          ...held,
        ],
      )
    }
    await client.query(`DROP TABLE IF EXISTS ${id('_weir_stage', stageName(claim, claim.key))}`)
  }).catch((error: unknown) => {
    throw warehouseFailure(error, doing)
  })
}
