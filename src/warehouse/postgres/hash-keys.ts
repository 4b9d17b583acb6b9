import type pg from 'pg'
import { Failure } from '../../core/failure.js'
import type { TableSpec } from '../driver.js'
import { id } from './sql.js'

/**
 * Notes which key makes a table's hashes when the table is new, and from then on refuses another one, whose hashes would join
 * with none that are there. Nor may fields of the row's key become hashed, or plain again: each row would stand twice.
 * @throws Failure `config`
 */
export async function holdHashKey(client: pg.ClientBase | pg.Pool, spec: TableSpec): Promise<void> {
  const isThere = await checkHashKey(client, spec)
  const { schema, table, hashed } = spec
  if (!hashed) {
    // What a table was that is gone says nothing of its successor.
    if (!isThere) await client.query('DELETE FROM _weir.hash_keys WHERE table_schema = $1 AND table_name = $2', [schema, table])
    return
  }
  await client.query(
    `INSERT INTO _weir.hash_keys AS k (table_schema, table_name, fingerprint, key_fields) VALUES ($1, $2, $3, $4)
     ON CONFLICT (table_schema, table_name) DO UPDATE SET fingerprint = excluded.fingerprint, key_fields = excluded.key_fields, created_at = now()
     WHERE NOT $5`,
    [schema, table, hashed.by, hashed.keyFields, isThere],
  )
}

/** The judgement alone. Is the table there? */
export async function checkHashKey(client: pg.ClientBase | pg.Pool, { schema, table, hashed }: TableSpec): Promise<boolean> {
  const place = [schema, table]
  const { rows } = await client.query<{ exists: boolean; fingerprint: string | null; key_fields: string[] | null }>(
    `SELECT to_regclass($3) IS NOT NULL AS exists, k.fingerprint, k.key_fields
       FROM (SELECT 1) one LEFT JOIN _weir.hash_keys k ON k.table_schema = $1 AND k.table_name = $2`,
    [...place, id(schema, table)],
  )
  const { exists, fingerprint, key_fields } = rows[0]!
  const start = `To start anew: drop the table, then \`weir sync --full\`.`
  if (exists && hashed && fingerprint !== null && fingerprint !== hashed.by)
    throw new Failure(
      'config',
      `The hashes in ${schema}.${table} were made with another WEIR_KEY (${fingerprint}; the one that is set is ${hashed.by}). Set the key that made them. ${start}`,
    )
  const before = key_fields ?? []
  const now = hashed?.keyFields ?? []
  if (exists && before.join() !== now.join())
    throw new Failure(
      'config',
      `The column policy changes how rows of ${schema}.${table} are told apart (hashed key fields: ${before.join(', ') || 'none'} before, ${now.join(', ') || 'none'} now): each row would stand twice. Take that change back. ${start}`,
    )
  return exists
}
