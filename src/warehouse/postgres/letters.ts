import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { LetterFilter } from '../../core/activities.js'
import { nesting } from '../../schema/json.js'
import { keyText } from '../../schema/key.js'
import { recordOf, split } from '../../schema/lines.js'
import type { BatchCommit, Letter, LetterRow, StreamRef, TableSpec, Warehouse } from '../driver.js'
import { type LetterSeal, readPayload } from './letter-seal.js'
import { transaction } from './pool.js'

/** PostgreSQL's own reader of json ends at some thousand levels; what is deeper than this is kept as text. */
const deepestJson = 500

type Ref = StreamRef & { run: string }

/** Name of the lock that loading (shared) and replay (alone) of a stream hold, so that neither misses what the other writes. */
export const lockName = ({ sync, stream }: StreamRef): string => `weir/dead-letters/${sync}/${stream}`

/**
 * One letter for one cause: the same record with the same reason raises the count of the letter that is there, and opens it again.
 * An open letter goes on holding what is newer than what comes.
 */
export async function writeLetters(
  client: pg.ClientBase,
  { sync, stream, run, key }: Ref & { key: string | null },
  letters: readonly Letter[],
  seal: LetterSeal | undefined,
  spec?: TableSpec,
): Promise<void> {
  const held = ['slice', 'message', 'payload', 'version_at', 'form', 'sealed_by']
  const isNewer = `(d.status <> 'open' OR d.version_at IS NULL OR coalesce(excluded.version_at >= d.version_at, false))`
  for (const letter of letters) {
    const isDeep = nesting(letter.payload) > deepestJson
    const sealed = seal && letter.kind === 'record' ? seal.seal(letter.payload) : undefined
    const payload = sealed ? JSON.stringify(sealed.text) : isDeep ? JSON.stringify(letter.payload) : letter.payload
    const message = isDeep
      ? `${letter.message.replace(/\.?$/, '.')} It is nested too deeply for json: the payload is kept as text.`
      : letter.message
    await client.query(
      `INSERT INTO _weir.dead_letters AS d (sync, stream, run_id, slice, kind, reason, message, record_key, payload, fingerprint, form, sealed_by, version_at, first_seen_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce($14::timestamptz, now()))
       ON CONFLICT (sync, stream, fingerprint) DO UPDATE SET attempts = d.attempts + 1, last_seen_at = now(), run_id = excluded.run_id,
         first_seen_at = CASE WHEN d.status = 'open' THEN d.first_seen_at ELSE excluded.first_seen_at END, status = 'open', closed_at = NULL,
         ${held.map((name) => `${name} = CASE WHEN ${isNewer} THEN excluded.${name} ELSE d.${name} END`).join(', ')}`,
      [
        sync,
        stream,
        run,
        key,
        letter.kind,
        letter.reason,
        message,
        letter.recordKey ?? null,
        payload,
        fingerprintOf(letter, spec),
        letter.isRaw ? 'raw' : 'record',
        sealed?.by ?? null,
        letter.versionAt ?? null,
        letter.readAt ?? null,
      ],
    )
  }
}

/** Do all versions of a row stand? Then none takes the place of another. */
const keepsVersions = ({ mode }: TableSpec): boolean => mode === 'append' || mode === 'history'

/** What is one cause: a key and a reason; the content, too, where each version counts, or may be newer than any other. */
function fingerprintOf({ kind, reason, recordKey, payload, versionAt }: Letter, spec: TableSpec | undefined): string {
  const isOneOfMany = spec && (keepsVersions(spec) || (spec.cursor !== undefined && versionAt === undefined))
  const cause = recordKey === undefined ? [payload] : isOneOfMany ? [recordKey, payload] : [recordKey]
  return createHash('sha256')
    .update([kind, reason, ...cause].join('\n'))
    .digest('hex')
}

/**
 * Closes the open letters of what a batch has loaded, in its transaction: of its keys, where one version of a row stands, and at a
 * slice's end those of slices that it covers, and that of its parent, which is open to us again. A snapshot is not yet in its table
 * then; `supersedeBySnapshot` follows when it is.
 */
export async function supersede(client: pg.ClientBase, batch: BatchCommit, met: readonly Letter[]): Promise<void> {
  const { claim, table } = batch
  if (table.spec.mode === 'replace') return
  const close = `UPDATE _weir.dead_letters SET status = 'superseded', closed_at = now() WHERE sync = $1 AND stream = $2 AND status = 'open'`
  const refused = new Set(met.map(({ recordKey }) => recordKey))
  const keys = split(batch.segments)
    .map((line) => keyText(recordOf(line).values, table.spec.key))
    .filter((key) => !refused.has(key))
  if (keys.length > 0 && !keepsVersions(table.spec))
    await client.query(`${close} AND kind = 'record' AND record_key = ANY($3)`, [claim.sync, claim.stream, [...new Set(keys)]])
  if (!batch.isLast) return
  const { pass, parent, from, to } = claim.slice
  await client.query(
    `${close} AND kind = 'slice' AND payload->>'pass' = $3 AND payload->>'parent' IS NOT DISTINCT FROM $4::text
       AND (reason = 'permission' OR (($5::text IS NULL OR payload->>'from' >= $5) AND ($6::text IS NULL OR payload->>'to' <= $6)))`,
    [claim.sync, claim.stream, pass, parent ?? null, from ?? null, to ?? null],
  )
}

/** A whole snapshot has just taken a table's place: what it did not meet again is no longer open. */
export async function supersedeBySnapshot(client: pg.ClientBase, { sync, stream, run }: Ref): Promise<void> {
  await client.query(
    `UPDATE _weir.dead_letters SET status = 'superseded', closed_at = now() WHERE sync = $1 AND stream = $2 AND status = 'open' AND run_id <> $3`,
    [sync, stream, run],
  )
}

/** Conditions of a filter, as $1 to $8. */
export const fits = `($1::bigint[] IS NULL OR id = ANY($1)) AND ($2::text IS NULL OR sync = $2) AND ($3::text IS NULL OR stream = $3)
  AND ($4::text IS NULL OR kind = $4) AND ($5::text IS NULL OR reason = $5) AND ($6::text IS NULL OR run_id = $6)
  AND ($7::timestamptz IS NULL OR last_seen_at >= $7) AND ($8::text IS NULL OR status = $8)`
export const filterValues = ({ ids, sync, stream, kind, reason, run, since, status }: LetterFilter): unknown[] =>
  [ids, sync, stream, kind, reason, run, since, status].map((value) => value ?? null)

const listed = `id::text, sync, stream, kind, reason, message, record_key, slice, run_id, attempts, status, form, sealed_by,
  first_seen_at, last_seen_at, closed_at`

const rowOf = (row: Record<string, unknown>): LetterRow => ({
  id: String(row.id),
  sync: String(row.sync),
  stream: String(row.stream),
  kind: row.kind as LetterRow['kind'],
  reason: String(row.reason),
  message: String(row.message),
  ...(row.record_key === null ? {} : { key: String(row.record_key) }),
  ...(row.slice === null ? {} : { slice: String(row.slice) }),
  run: String(row.run_id),
  attempts: Number(row.attempts),
  status: row.status as LetterRow['status'],
  firstSeenAt: (row.first_seen_at as Date).toISOString(),
  lastSeenAt: (row.last_seen_at as Date).toISOString(),
  ...(row.closed_at === null ? {} : { closedAt: (row.closed_at as Date).toISOString() }),
  isRaw: row.form === 'raw',
  ...(row.sealed_by === null ? {} : { sealedBy: String(row.sealed_by) }),
})

/** @param seal throws `config` while WEIR_KEY is not set */
export function createLetters(
  pool: pg.Pool,
  seal: () => LetterSeal,
): Pick<Warehouse['letters'], 'count' | 'list' | 'get' | 'discard' | 'requireKey' | 'sweep'> {
  return {
    async count(filter) {
      const { rows } = await pool.query<StreamRef & { kind: LetterRow['kind']; letters: number }>(
        `SELECT sync, stream, kind, count(*)::int AS letters FROM _weir.dead_letters WHERE ${fits} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
        filterValues(filter),
      )
      return rows
    },
    async list(filter, limit) {
      const { rows } = await pool.query(
        `SELECT ${listed} FROM _weir.dead_letters WHERE ${fits} ORDER BY last_seen_at DESC, dead_letters.id DESC LIMIT $9`,
        [...filterValues(filter), limit],
      )
      return rows.map(rowOf)
    },
    async get(id) {
      const { rows } = await pool.query(`SELECT ${listed}, payload::text FROM _weir.dead_letters WHERE id = $1`, [id])
      return rows[0] && { ...rowOf(rows[0]), payload: readPayload(rows[0].payload, rows[0].sealed_by, seal) }
    },
    async discard(filter) {
      const { rowCount } = await pool.query(
        `UPDATE _weir.dead_letters SET status = 'discarded', closed_at = now() WHERE ${fits}`,
        filterValues({ ...filter, status: 'open' }),
      )
      return rowCount ?? 0
    },
    async requireKey() {
      seal()
    },
    async sweep({ sync, stream }, { closedMs, openMs }) {
      await transaction(pool, `Sweeping dead letters of ${sync}/${stream}`, async (client) => {
        await client.query(
          `DELETE FROM _weir.dead_letters WHERE sync = $1 AND stream = $2 AND CASE status
             WHEN 'open' THEN last_seen_at < now() - make_interval(secs => $4::float8 / 1000)
             ELSE closed_at < now() - make_interval(secs => $3::float8 / 1000) END`,
          [sync, stream, closedMs, openMs ?? null],
        )
      })
    },
  }
}
