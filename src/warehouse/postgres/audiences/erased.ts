/** Who was erased, where audiences compare, send and end. */
import type pg from 'pg'
import type { AudienceDefinition } from '../../../core/audience.js'
import { Failure } from '../../../core/failure.js'
import type { DerivedKey } from '../../../keys/derive.js'
import type { Append } from '../audit.js'
import { peopleTable } from './model.js'

/** Of the session alone. */
export const erasedTable = 'pg_temp._weir_erased'

/** The mark of a model's key, as SQL; `$1` is the secret. @param model an expression */
export const keyMark = (model: string, key: string) =>
  `encode(sha256($1::bytea || convert_to('person:key:' || ${model} || ':' || ${key}, 'UTF8')), 'hex')`

/**
 * The keys of an audience's people who were erased, in a table of the session: those whom the ledger knows by their marks, and those whom the model
 * yields by a key of theirs. People of the model among them are excluded.
 * @throws Failure `config` for erasures that were noted with another key: those people would be sent again
 */
export async function gatherErased(client: pg.ClientBase, { audience, model }: AudienceDefinition, secret: DerivedKey): Promise<void> {
  const { rows } = await client.query<{ other: string }>('SELECT key_name AS other FROM _weir.erasures WHERE key_name <> $1 LIMIT 1', [
    secret.fingerprint,
  ])
  if (rows[0])
    throw new Failure(
      'config',
      `People were erased with WEIR_KEY ${rows[0].other} set, and now it is ${secret.fingerprint}: they could not be told from others, and would be sent again. Set the key that was set then.`,
    )
  await client.query(`DROP TABLE IF EXISTS ${erasedTable}`)
  await client.query(`CREATE TABLE ${erasedTable} (key text PRIMARY KEY)`)
  await client.query(
    `WITH marks AS MATERIALIZED (SELECT DISTINCT unnest(marks) AS mark FROM _weir.erasures)
     INSERT INTO ${erasedTable}
     SELECT m.key FROM (SELECT key, unnest(marks) AS mark FROM _weir.audience_members WHERE audience = $2) AS m JOIN marks USING (mark)
     UNION SELECT p.key FROM ${peopleTable} AS p JOIN marks ON mark = ${keyMark('$3::text', 'p.key')}`,
    [secret.key, audience, model.name],
  )
  await client.query(`UPDATE ${peopleTable} AS p SET exclusion = 'erased' FROM ${erasedTable} AS x WHERE x.key = p.key`)
}

/** Which of these marks are of people who were erased. */
export async function erasedMarks(client: pg.ClientBase, marks: readonly string[]): Promise<ReadonlySet<string>> {
  if (marks.length === 0) return new Set()
  const { rows } = await client.query<{ mark: string }>(
    'SELECT DISTINCT mark FROM (SELECT unnest(marks) AS mark FROM _weir.erasures WHERE marks && $1) AS m WHERE mark = ANY ($1)',
    [marks],
  )
  return new Set(rows.map(({ mark }) => mark))
}

/** Which of a push's changes are of people who were erased since they were frozen. */
export async function erasedSince(
  client: pg.ClientBase,
  secret: Buffer,
  { run, destination, definition }: { run: string; destination: string; definition: AudienceDefinition },
  seqs: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ seq: string }>(
    `SELECT c.seq::text FROM _weir.audience_changes AS c WHERE c.run_id = $2 AND c.destination = $3 AND c.seq = ANY ($4)
       AND EXISTS (SELECT 1 FROM _weir.erasures AS e WHERE e.marks && (coalesce(c.marks, '{}') || ${keyMark('$5::text', 'c.key')}))`,
    [secret, run, destination, seqs, definition.model.name],
  )
  return new Set(rows.map(({ seq }) => seq))
}

/** Ledger rows by which no destination holds anybody. */
export const isNowhere = "(m.state = 'removed' OR m.state IN ('rejected', 'dead') AND m.added_at IS NULL)"

/** Forgets people who were erased and whom no destination holds: their ledger rows, and their keys in change sets. */
export async function forget(client: pg.ClientBase, audience: string, run?: string): Promise<number> {
  const { rowCount } = await client.query('SELECT 1 FROM _weir.erasures LIMIT 1')
  if (rowCount === 0) return 0
  const { rows } = await client.query<{ key: string }>(
    `DELETE FROM _weir.audience_members AS m WHERE m.audience = $1 AND ${isNowhere}
       AND (m.cause = 'erased' OR EXISTS (SELECT 1 FROM _weir.erasures AS e WHERE e.marks && m.marks)) RETURNING m.key`,
    [audience],
  )
  await client.query(
    `DELETE FROM _weir.audience_changes AS c USING _weir.audience_runs AS r
     WHERE r.audience = $1 AND c.run_id = r.run_id AND (c.key = ANY ($2) AND (r.finished_at IS NOT NULL OR c.state = 'done')
       OR c.run_id = $3 AND c.state = 'dropped' AND EXISTS (SELECT 1 FROM _weir.erasures AS e WHERE e.marks && c.marks))`,
    [audience, [...new Set(rows.map(({ key }) => key))], run ?? null],
  )
  return rows.length
}

/** Erasures of whom the ledger knows nothing any more have ended. */
export async function endErasures(client: pg.ClientBase, append: Append): Promise<void> {
  const { rows } = await client.query<{ id: string; kind: string }>(
    `UPDATE _weir.erasures AS e SET ended_at = now()
     WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM _weir.audience_members AS m WHERE m.marks && e.marks) RETURNING id::text, kind`,
  )
  for (const { id, kind } of rows) await append(client, { event: 'erasure_ended', detail: { erasure: Number(id), kind } })
}
