import type pg from 'pg'
import type { FailureNote } from '../../core/activities.js'
import { Failure } from '../../core/failure.js'
import { noCounts } from '../../core/receipt.js'
import { sliceKey } from '../../core/slices.js'
import type { Slice, Used } from '../../core/types.js'
import type { Claim, Letter, SliceOwner, Wait, Warehouse } from '../driver.js'
import { checkpointsOf } from './checkpoints.js'
import { countColumns, countsOf, countValues } from './counts.js'
import { writeLetters } from './letters.js'
import { transaction, warehouseFailure } from './pool.js'
import { id } from './sql.js'
import { stageName } from './stage.js'
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
  claimed_at: Date
  position: { resume?: Record<string, unknown>; reached?: string } | null
  state: string
  idle_claims: number
  last_failure: string | null
}

/**
 * Takes the slice for one attempt: the epoch rises, so whoever held it before can no longer commit. Counts begin anew with a new run.
 * An attempt whose worker stood still before it came here may have been overtaken: it must not take the slice back.
 */
export async function claim(
  pool: pg.Pool,
  { run, key, owner, attemptAt, ...ref }: Parameters<Warehouse['slices']['claim']>[0],
): Promise<Claim> {
  const { sync, stream } = ref
  const home = checkpointsOf(ref)
  const anew = countColumns.map((column) => `${column} = CASE WHEN run_id = $4 THEN ${column} ELSE 0 END`).join(', ')
  const doing = `Claiming slice ${key} of ${sync}/${stream}`
  const row = await transaction(pool, doing, async (client) => {
    const { rows } = await takeOver(pool, client, () =>
      client.query<ClaimedRow>(
        `UPDATE ${home.table} SET epoch = nextval('_weir.epochs'), owner = $5, attempt_at = $6, ${anew},
         spent = CASE WHEN run_id = $4 THEN spent ELSE '{}' END,
         idle_claims = CASE WHEN run_id = $4 THEN idle_claims + 1 ELSE 1 END,
         waiting_since = CASE WHEN run_id = $4 THEN waiting_since END, waiting_until = CASE WHEN run_id = $4 THEN waiting_until END,
         run_id = $4, updated_at = now()
       WHERE ${home.owner} = $1 AND stream = $2 AND slice = $3 AND (attempt_at IS NULL OR attempt_at <= $6)
       RETURNING *, clock_timestamp() AS claimed_at`,
        [home.id, stream, key, run, owner, attemptAt],
      ),
    )
    if (rows[0]) return rows[0]
    const known = `SELECT 1 FROM ${home.table} WHERE ${home.owner} = $1 AND stream = $2 AND slice = $3`
    const { rowCount } = await client.query(known, [home.id, stream, key])
    throw rowCount ? fenced({ sync, stream, key }) : notPlanned({ sync, stream, key })
  }).catch((error: unknown) => {
    throw warehouseFailure(error, doing)
  })
  return {
    ...ref,
    run,
    key,
    slice: sliceOf(row),
    epoch: Number(row.epoch),
    claimedAt: row.claimed_at,
    resume: row.position?.resume,
    reached: row.position?.reached,
    isFinished: row.state !== 'open',
    isHalved: row.state === 'halved',
    counts: countsOf(row as unknown as Record<string, unknown>),
    idleClaims: row.idle_claims,
    lastFailure: row.last_failure ?? undefined,
  }
}

/** Where the checkpoint of a claim stands, as long as no newer one took it: conditions and their values, as $1 to $4. */
export function heldBy(claim: Claim) {
  const home = checkpointsOf(claim)
  const where = `${home.owner} = $1 AND stream = $2 AND slice = $3 AND epoch = $4`
  return { ...home, where, values: [home.id, claim.stream, claim.key, claim.epoch] }
}

type Key = Pick<Claim, 'sync' | 'stream' | 'key'>

export const fenced = ({ sync, stream, key }: Key) =>
  new Failure('fenced', `A newer attempt owns slice ${key} of ${sync}/${stream}; this one wrote nothing.`, { sync, stream, slice: key })

const notPlanned = ({ sync, stream, key }: Key) =>
  new Failure(
    'fenced',
    `Slice ${key} of ${sync}/${stream} is no longer planned: it was settled or its state was reset.`,
    { sync, stream, slice: key },
    { isFinal: true },
  )

/** Gives the slice back; what was used in vain is counted. */
export async function release(pool: pg.Pool, claim: Claim, { spent, ...used }: Used, wait?: Wait): Promise<void> {
  const { table, where, values } = heldBy(claim)
  const added = countColumns.map((column, i) => `${column} = ${column} + $${i + 8}`).join(', ')
  await pool
    .query(
      `UPDATE ${table} SET idle_claims = 0, waiting_until = $5, waiting_for = $6,
          waiting_since = CASE WHEN $5::timestamptz IS NOT NULL THEN coalesce(waiting_since, now()) END,
          spent = _weir.add_up(spent, $7), ${added}
        WHERE ${where}`,
      [...values, wait?.until ?? null, wait?.for ?? null, JSON.stringify(spent), ...countValues({ ...noCounts(), ...used })],
    )
    .catch((error: unknown) => {
      throw warehouseFailure(error, `Releasing slice ${claim.key}`)
    })
}

export async function waits(pool: pg.Pool, { run, key, ...slices }: SliceOwner & { run: string; key: string }, wait: Wait): Promise<void> {
  const { table, owner, id } = checkpointsOf(slices)
  const { stream } = slices
  await pool
    .query(
      `UPDATE ${table} SET waiting_until = $5, waiting_for = $6
        WHERE ${owner} = $1 AND stream = $2 AND slice = $3 AND run_id = $4 AND state = 'open'`,
      [id, stream, key, run, wait.until, wait.for],
    )
    .catch((error: unknown) => {
      throw warehouseFailure(error, `Noting what slice ${key} waits for`)
    })
}

export async function note(pool: pg.Pool, claim: Claim, failure: FailureNote): Promise<void> {
  const { table, where, values } = heldBy(claim)
  await pool
    .query(`UPDATE ${table} SET last_failure = $5 WHERE ${where}`, [...values, `${failure.reason}: ${failure.message}`.slice(0, 2_000)])
    .catch((error: unknown) => {
      throw warehouseFailure(error, `Noting the failure of slice ${claim.key}`)
    })
}

export async function setAside(pool: pg.Pool, claim: Claim, letter: Letter, state: 'dead_letter' | 'refused'): Promise<void> {
  const doing = `Setting slice ${claim.key} of ${claim.sync}/${claim.stream} aside`
  const { table, where, values } = heldBy(claim)
  await transaction(pool, doing, async (client) => {
    // What it had gathered changes nothing.
    const { rowCount } = await client.query(
      `UPDATE ${table} SET state = $5, unchanged = read - loaded - dead_letters, updated_at = now() WHERE ${where}`,
      [...values, state],
    )
    if (rowCount === 0) throw fenced(claim)
    await writeLetters(client, claim, [letter], undefined)
  }).catch((error: unknown) => {
    throw warehouseFailure(error, doing)
  })
}

export async function halve(pool: pg.Pool, claim: Claim, halves: readonly [Slice, Slice]): Promise<void> {
  const doing = `Halving slice ${claim.key} of ${claim.sync}/${claim.stream}`
  const { table, owner, id: ownerId, where, values } = heldBy(claim)
  // A half may be known already, from an earlier run or an earlier halving: it is read again.
  const counts = countColumns.map(
    (column) => `${column} = excluded.${column} + CASE WHEN c.run_id = excluded.run_id THEN c.${column} ELSE 0 END`,
  )
  const spentThen = `spent = _weir.add_up(excluded.spent, CASE WHEN c.run_id = excluded.run_id THEN c.spent ELSE '{}' END)`
  await transaction(pool, doing, async (client) => {
    const { rows } = await client.query(`SELECT * FROM ${table} WHERE ${where} FOR UPDATE`, values)
    if (!rows[0]) throw fenced(claim)
    // It stays until it is settled: whoever asks for it again, since the answer was lost, learns what became of it.
    const none = countColumns.map((column) => `${column} = 0`).join(', ')
    await client.query(`UPDATE ${table} SET state = 'halved', position = NULL, spent = '{}', ${none} WHERE ${where}`, values)
    for (const [i, slice] of halves.entries()) {
      const held = countValues(i === 0 ? countsOf(rows[0]) : noCounts())
      const spent = i === 0 ? rows[0].spent : {}
      await client.query(
        `INSERT INTO ${table} AS c (${owner}, stream, slice, pass, range_from, range_to, parent, run_id, spent, ${countColumns.join(', ')})
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ${held.map((_, at) => `$${at + 10}`).join(', ')})
         ON CONFLICT (${owner}, stream, slice) DO UPDATE SET state = 'open', position = NULL, run_id = excluded.run_id, ${spentThen}, ${counts.join(', ')}`,
        [
          ownerId,
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
