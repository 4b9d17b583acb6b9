/** A model's people as SQL: who they are, what is sent of them, and why somebody must not be sent. */
import type pg from 'pg'
import type { AudienceDefinition, FieldMap, ModelDefinition } from '../../../core/audience.js'
import { Failure } from '../../../core/failure.js'
import { id, literal } from '../sql.js'

/** The model as a subquery. One statement: what follows a semicolon PostgreSQL refuses, since it comes with parameters. */
export const subquery = ({ sql }: ModelDefinition) => `(${sql.trim().replace(/;\s*$/, '')}\n)`

const isAddress = ({ model, identity }: AudienceDefinition) => [identity.email, identity.phone].includes(model.key)

/** The person's key as the ledger keeps it: no address in clear. `$1` is the secret. */
export const keyOf = (definition: AudienceDefinition, row: string) => {
  const text = `${row}.${id(definition.model.key)}::text`
  return isAddress(definition) ? `encode(sha256($1::bytea || convert_to(lower(btrim(${text})), 'UTF8')), 'hex')` : text
}

/** What is sent of a person, and nothing else: a column that nobody uses may change as it likes. */
export const bodyOf = ({ identity, destinations }: AudienceDefinition, row: string) => {
  const columns = [...new Set([...Object.values(identity), ...Object.values(destinations).flatMap(({ map }) => columnsOf(map))])].sort()
  const pairs = columns.map((column) => `${literal(column)}, to_jsonb(${row}.${id(column)})`)
  return `jsonb_build_object(${pairs.join(', ')})`
}

function columnsOf(map: FieldMap): string[] {
  return Object.values(map).flatMap((source) =>
    typeof (source as { column?: unknown }).column === 'string'
      ? [(source as { column: string }).column]
      : 'value' in source
        ? []
        : columnsOf(source as FieldMap),
  )
}

/**
 * Why a person must not be sent; NULL for nobody's reason. A suppression counts before all else: it also holds for who has consented.
 * Addresses are compared in lower case and as Google's mail reads them; phone numbers by their digits. `$1` is the secret.
 */
export function exclusionOf(definition: AudienceDefinition, row: string): string {
  const { consent, suppress, holdoutPercent, model } = definition
  const cases = suppress.map(({ model: list, by }) => {
    const theirs = `s.${id(list.key)}::text`
    const own = `${row}.${id(by === 'key' ? model.key : (definition.identity[by] ?? model.key))}::text`
    const same = by === 'key' ? (text: string) => text : by === 'email' ? folded : digits
    return `WHEN ${same(own)} IN (SELECT ${same(theirs)} FROM ${subquery(list)} AS s WHERE ${theirs} IS NOT NULL) THEN 'suppressed'`
  })
  if (consent) {
    const said = `lower(btrim(${row}.${id(consent.column)}::text))`
    const among = (values: readonly string[]) => `${said} IN (${values.map((value) => literal(value.toLowerCase())).join(', ')})`
    if (consent.refused.length > 0) cases.push(`WHEN ${among(consent.refused)} THEN 'consent_refused'`)
    cases.push(`WHEN ${among(consent.granted)} IS NOT TRUE THEN 'consent_unknown'`)
  }
  if (holdoutPercent !== undefined && holdoutPercent > 0) {
    const point = `('x' || left(encode(sha256($1::bytea || convert_to('holdout:' || ${keyOf(definition, row)}, 'UTF8')), 'hex'), 8))::bit(32)::bigint`
    cases.push(`WHEN ${point} % 10000 < ${Math.round(holdoutPercent * 100)} THEN 'holdout'`)
  }
  return cases.length === 0 ? 'NULL' : `CASE ${cases.join(' ')} END`
}

const folded = (text: string) => {
  const plain = `lower(btrim(${text}))`
  const isGoogle = `(${plain} LIKE '%@gmail.com' OR ${plain} LIKE '%@googlemail.com')`
  const local = `replace(regexp_replace(split_part(${plain}, '@', 1), '\\+.*$', ''), '.', '')`
  return `CASE WHEN ${isGoogle} THEN ${local} || '@' || split_part(${plain}, '@', 2) ELSE ${plain} END`
}

const digits = (text: string) => `regexp_replace(regexp_replace(${text}, '[^0-9]', '', 'g'), '^00', '')`

/** What PostgreSQL says of a user's own SQL, as a failure of that model. Of a value that does not fit its text holds the value: it is left out. */
function modelFailure(error: unknown, definition: AudienceDefinition): unknown {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string }
  if (typeof code !== 'string' || error instanceof Failure) return error
  const names = [definition.model, ...definition.suppress.map(({ model }) => model)].map(({ name }) => name)
  const where = `Audience ${definition.audience} (${names.length === 1 ? 'model' : 'models'} ${names.join(', ')})`
  if (code.startsWith('42') && code !== '42501')
    return new Failure(
      'config',
      `${where}: ${message} (${code}). Correct the SQL, or the columns that the audience names.`,
      { code },
      { cause: error },
    )
  if (code.startsWith('22'))
    return new Failure('config', `${where}: a value does not fit where the SQL puts it (${code}). Cast it in the SQL.`, { code })
  return error
}

export async function onClient<T>(definition: AudienceDefinition, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw modelFailure(error, definition)
  }
}

/** Of the session alone, and always by its whole name: a user's own table of any name is never meant. */
export const peopleTable = 'pg_temp._weir_people'

/** The people of this moment in a table of the session; keys are there and tell people apart. Answers with how many rows the model has. */
export async function gatherPeople(client: pg.ClientBase, definition: AudienceDefinition, secret: Buffer): Promise<number> {
  const { model } = definition
  await client.query(`DROP TABLE IF EXISTS ${peopleTable}`)
  // OFFSET 0 keeps the body from being made twice, and a table made of a query may be read by several processes.
  await client.query(
    `CREATE TABLE ${peopleTable} AS
     SELECT key, exclusion, body, sha256($1::bytea || convert_to(body, 'UTF8')) AS print
     FROM (SELECT ${keyOf(definition, 'm')} AS key, ${exclusionOf(definition, 'm')} AS exclusion, ${bodyOf(definition, 'm')}::text AS body
           FROM ${subquery(model)} AS m OFFSET 0) AS people`,
    [secret],
  )
  const { rows } = await client.query<{ rows: number; keys: number }>(
    `SELECT count(*)::int AS rows, count(key)::int AS keys FROM ${peopleTable}`,
  )
  const { rows: all, keys } = rows[0]!
  if (keys < all || !(await tellsApart(client))) throw await notApart(client, model)
  await client.query(`ANALYZE ${peopleTable}`)
  return all
}

async function tellsApart(client: pg.ClientBase): Promise<boolean> {
  try {
    await client.query(`CREATE UNIQUE INDEX ON ${peopleTable} (key)`)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === '23505') return false
    throw error
  }
}

async function notApart(client: pg.ClientBase, model: ModelDefinition): Promise<Failure> {
  const { rows } = await client.query<{ nulls: number; doubled: number }>(
    `SELECT count(*) FILTER (WHERE key IS NULL)::int AS nulls,
       (SELECT count(*)::int FROM (SELECT 1 FROM ${peopleTable} WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1) AS d) AS doubled
     FROM ${peopleTable}`,
  )
  const { nulls, doubled } = rows[0]!
  const parts = [
    nulls > 0 ? `${nulls} rows have no ${model.key}` : '',
    doubled > 0 ? `${doubled} values of ${model.key} stand in more than one row` : '',
  ]
  return new Failure(
    'config',
    `Model ${model.name} does not tell people apart: ${parts.filter(Boolean).join(', and ')}. Nothing was sent. See them: SELECT ${model.key}, count(*) FROM (<the model>) AS m GROUP BY 1 HAVING count(*) > 1 OR ${model.key} IS NULL`,
  )
}
