import type pg from 'pg'
import { sliceKey } from '../../core/slices.js'
import { joined, type Line, recordOf, split } from '../../schema/lines.js'
import type { BatchCommit, LetterRef, OpenLetter, ReplayOutcome, Warehouse } from '../driver.js'
import { checkpointsOf } from './checkpoints.js'
import { type LetterSeal, readPayload } from './letter-seal.js'
import { filterValues, fits, lockName } from './letters.js'
import { loadRows } from './load.js'
import { ageOf, isBefore, isBehind, readAt } from './merge.js'
import { isDataError, isRetryable, transaction, warehouseFailure } from './pool.js'
import { id, sqlType } from './sql.js'
import { givenUp } from './words.js'

type Outcome = ReplayOutcome['outcome']
/** Line i is what letter i holds. */
type Batch = Pick<BatchCommit, 'claim' | 'table'> & { lines: readonly Line[] }

/** Payloads that are taken into memory at once. */
const pageBytes = 8 * 1024 * 1024
const attempts = 6

export function createReplay(
  pool: pg.Pool,
  seal: () => LetterSeal,
): Pick<Warehouse['letters'], 'open' | 'replay' | 'failAgain' | 'reopen' | 'outcomes'> {
  return {
    async open({ sync, stream }, filter, { after, limit }) {
      const { rows } = await pool.query(
        `SELECT * FROM (
           SELECT id::text, kind, record_key, payload::text, sealed_by, form, first_seen_at::text AS seen_at, last_seen_at::text AS version,
                  sum(octet_length(payload::text)) OVER (ORDER BY d.id) - octet_length(payload::text) AS before
             FROM (SELECT * FROM _weir.dead_letters WHERE ${fits} AND id > $9 ORDER BY id LIMIT $10) d) page
          WHERE before < ${pageBytes} ORDER BY page.id::bigint`,
        [...filterValues({ ...filter, sync, stream, status: 'open' }), after ?? 0, limit],
      )
      return rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        ...(row.record_key === null ? {} : { key: row.record_key }),
        payload: readPayload(row.payload, row.sealed_by, seal),
        isRaw: row.form === 'raw',
        seenAt: row.seen_at,
        version: row.version,
      }))
    },
    replay: (batch, letters) => replayPart(pool, { ...batch, lines: split(batch.segments) }, letters, 0, letters.length),
    async failAgain({ sync, stream, run }, letters) {
      if (letters.length === 0) return
      await transaction(pool, `Noting dead letters of ${sync}/${stream}`, async (client) => {
        const held = await hold(client, letters)
        for (const letter of letters) if (held.has(letter.id)) await noteFailure(client, run, letter)
      })
    },
    async reopen({ sync, stream, run }, letter, slice) {
      await transaction(pool, `Opening a slice of ${sync}/${stream} again`, async (client) => {
        if (!(await hold(client, [letter])).has(letter.id)) return
        const { rows: found } = await client.query<{ backfill: string }>(
          'SELECT r.backfill FROM _weir.dead_letters d JOIN _weir.runs r ON r.run_id = d.run_id WHERE d.id = $1 AND r.backfill IS NOT NULL',
          [letter.id],
        )
        const { table, owner, id: ownerId } = checkpointsOf({ sync, stream, ...found[0] })
        await client.query(
          `INSERT INTO ${table} AS c (${owner}, stream, slice, pass, range_from, range_to, parent, run_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (${owner}, stream, slice) DO UPDATE SET state = 'open', idle_claims = 0, last_failure = NULL WHERE c.state IN ${givenUp}`,
          [ownerId, stream, sliceKey(slice), slice.pass, slice.from ?? null, slice.to ?? null, slice.parent ?? null, run],
        )
        await client.query("UPDATE _weir.dead_letters SET replay_run_id = $2, replay_outcome = 'reopened' WHERE id = $1", [letter.id, run])
      })
    },
    async outcomes({ sync, stream, run }, limit) {
      const mine = 'FROM _weir.dead_letters WHERE sync = $1 AND stream = $2 AND replay_run_id = $3'
      const { rows: sums } = await pool.query<{ outcome: Outcome; n: number }>(
        `SELECT replay_outcome AS outcome, count(*)::int AS n ${mine} GROUP BY 1`,
        [sync, stream, run],
      )
      const { rows } = await pool.query(`SELECT id::text, record_key, replay_outcome, message ${mine} ORDER BY dead_letters.id LIMIT $4`, [
        sync,
        stream,
        run,
        limit,
      ])
      const counts = { loaded: 0, unchanged: 0, failed: 0, reopened: 0 }
      for (const { outcome, n } of sums) counts[outcome] = n
      const letters = rows.map((row) => ({
        id: row.id,
        ...(row.record_key === null ? {} : { key: row.record_key }),
        outcome: row.replay_outcome,
        ...(row.replay_outcome === 'failed' ? { message: row.message } : {}),
      }))
      return { counts, letters }
    },
  }
}

/** One transaction; where the database refuses a row, one for each half, down to that letter alone. */
async function replayPart(pool: pg.Pool, batch: Batch, letters: readonly OpenLetter[], from: number, to: number): Promise<void> {
  const doing = `Replaying dead letters of ${batch.claim.sync}/${batch.claim.stream}`
  for (let attempt = 1; from < to; attempt++) {
    try {
      await transaction(pool, doing, (client) => replayOnce(client, batch, letters, from, to))
      return
    } catch (error) {
      if (to - from > 1 && isDataError(error)) break
      if (!isRetryable(error) || attempt >= attempts) throw warehouseFailure(error, doing)
    }
  }
  if (from >= to) return
  const middle = (from + to) >> 1
  await replayPart(pool, batch, letters, from, middle)
  await replayPart(pool, batch, letters, middle, to)
}

async function replayOnce(client: pg.ClientBase, batch: Batch, letters: readonly OpenLetter[], from: number, to: number): Promise<void> {
  const { run } = batch.claim
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lockName(batch.claim)])
  const held = await hold(client, letters.slice(from, to))
  const all = Array.from({ length: to - from }, (_, i) => from + i).filter((i) => held.has(letters[i]!.id))
  const overtaken = await overtakenOf(client, batch, letters, all)
  const lines = all.filter((i) => !overtaken.has(i))
  const segments = joined(lines.map((i) => batch.lines[i]!))
  const part = { table: batch.table, segments, rows: lines.length }
  const { loaded, refused } = await loadRows(client, part, lines.length === 1 ? 'careful' : 'merged')
  const some = loaded > 0 && loaded < lines.length
  const written = some ? await standing(client, batch, letters, lines, writtenNow, [run]) : new Set(loaded > 0 ? lines : [])
  const isRefused = new Set(refused.map(({ at }) => lines[at]!))
  const idsOf = (which: readonly number[]) => which.map((i) => letters[i]!.id)
  for (const { at, letter } of refused) await noteFailure(client, run, { id: letters[lines[at]!]!.id, message: letter.message })
  await close(client, run, idsOf(lines.filter((i) => written.has(i) && !isRefused.has(i))), 'loaded')
  await close(client, run, idsOf(all.filter((i) => !written.has(i) && !isRefused.has(i))), 'unchanged')
}

/** Locks letters and answers with those that are open and as they were read. */
async function hold(client: pg.ClientBase, letters: readonly LetterRef[]): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT d.id::text FROM _weir.dead_letters d JOIN unnest($1::bigint[], $2::timestamptz[]) AS l (id, version) ON l.id = d.id AND l.version = d.last_seen_at
      WHERE d.status = 'open' ORDER BY d.id FOR UPDATE OF d`,
    [letters.map((letter) => letter.id), letters.map(({ version }) => version)],
  )
  return new Set(rows.map((row) => row.id))
}

/**
 * A replayed record is as old as its first reading: these meet a row whose cursor is newer, or that was read since and whose cursor,
 * where there is one, is not older. Where every version is kept none is in the way.
 */
async function overtakenOf(
  client: pg.ClientBase,
  batch: Batch,
  letters: readonly OpenLetter[],
  which: readonly number[],
): Promise<Set<number>> {
  const { mode } = batch.table.spec
  if (mode === 'append' || mode === 'history') return new Set()
  return standing(client, batch, letters, which, ({ isOlder, isNewer }) => `(${readAt('t')} >= b.seen_at AND NOT ${isNewer}) OR ${isOlder}`)
}

/** The row was written in this very transaction. */
const writtenNow = () => 't._weir_run_id = $1 AND t._weir_loaded_at = now()'

/** How old the letter's record is, against the row that stands: as SQL. */
interface Ages {
  isOlder: string
  isNewer: string
}

/** Those of the lines whose key has a row of which `condition` holds. @param values $1 and on, for the condition */
async function standing(
  client: pg.ClientBase,
  { table: { spec, columns }, lines }: Batch,
  letters: readonly OpenLetter[],
  which: readonly number[],
  condition: (ages: Ages) => string,
  values: readonly unknown[] = [],
): Promise<Set<number>> {
  if (which.length === 0) return new Set()
  const placeOf = (field: string | undefined) => columns.findIndex((column) => column.field === field && column.variant === undefined)
  const [cursorAt, deletedAt] = [placeOf(spec.cursor), placeOf(spec.deletedAt)]
  const keyAt = spec.key.map(placeOf)
  const used = [...new Set([...keyAt, cursorAt, deletedAt])].filter((at) => at >= 0)
  const own = (at: number) => `b.c${at}::${sqlType[columns[at]!.type]}`
  const cursor = cursorAt < 0 ? undefined : columns[cursorAt]
  const age = cursor && ageOf(cursor, own(cursorAt), deletedAt >= 0 ? `${own(deletedAt)}::timestamptz` : 'NULL::timestamptz')
  const theirs = cursor && ageOf(cursor, `t.${id(cursor.name)}`, 't._weir_deleted_at')
  const ages = {
    isOlder: age && theirs ? isBefore(age, theirs) : 'false',
    isNewer: age && theirs ? isBehind(theirs, age) : 'false',
  }
  const records = which.map((i) => recordOf(lines[i]!).values)
  const given = [which, which.map((i) => letters[i]!.seenAt), ...used.map((at) => records.map((row) => row[columns[at]!.field] ?? null))]
  const types = ['int[]', 'timestamptz[]', ...used.map(() => 'text[]')]
  const { rows } = await client.query<{ i: number }>(
    `SELECT DISTINCT b.i FROM unnest(${types.map((type, n) => `$${values.length + n + 1}::${type}`).join(', ')})
         AS b (i, seen_at, ${used.map((at) => `c${at}`).join(', ')})
       JOIN ${id(spec.schema, spec.table)} t ON ${keyAt.map((at) => `t.${id(columns[at]!.name)} = ${own(at)}`).join(' AND ')}
      WHERE ${condition(ages)}`,
    [...values, ...given],
  )
  return new Set(rows.map(({ i }) => i))
}

/** A row that is as new or newer stands: then the letter was overtaken, not replayed. */
async function close(client: pg.ClientBase, run: string, ids: readonly string[], outcome: 'loaded' | 'unchanged'): Promise<void> {
  if (ids.length === 0) return
  await client.query(
    'UPDATE _weir.dead_letters SET status = $2, closed_at = now(), replay_run_id = $3, replay_outcome = $4 WHERE id = ANY($1)',
    [ids, outcome === 'loaded' ? 'replayed' : 'superseded', run, outcome],
  )
}

async function noteFailure(client: pg.ClientBase, run: string, { id: letter, message }: { id: string; message: string }): Promise<void> {
  await client.query(
    `UPDATE _weir.dead_letters SET attempts = attempts + 1, last_seen_at = now(), message = $2, replay_run_id = $3, replay_outcome = 'failed' WHERE id = $1`,
    [letter, message, run],
  )
}
