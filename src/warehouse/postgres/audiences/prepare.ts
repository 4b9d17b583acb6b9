/** From a model to a frozen change set: all comparing is SQL; only people whose row is new or changed pass through this process. */
import type pg from 'pg'
import { type Exclusion, owed } from '../../../core/audience.js'
import { Failure } from '../../../core/failure.js'
import type { DerivedKey } from '../../../keys/derive.js'
import type { Encoded, Person, Prepared, PrepareInput, SampledChange } from '../../contract/audiences.js'
import { onConnection } from '../pool.js'
import { literal } from '../sql.js'
import { erasedMarks, erasedTable, gatherErased } from './erased.js'
import { gatherPeople, onClient, peopleTable, subquery } from './model.js'

const pageRows = 5_000
/** Changes that need no call. */
const quiet = ['exclude', 'keep', 'forget']
const owedList = owed.map((cause) => literal(cause)).join(', ')

interface Candidate extends Person {
  print: Buffer
  identity: string | null
  content: string | null
  state: string | null
  is_due: boolean
}

type Work = Omit<PrepareInput, 'run'> & { run: string; table: string }

/** A session for as long as it takes: what it gathers goes with it, whatever ends it. */
export async function prepare(pool: pg.Pool, secret: DerivedKey, input: PrepareInput): Promise<Prepared> {
  const { run, definition } = input
  return onConnection(pool, `Preparing audience ${definition.audience}`, async (client) => {
    const { rows: locks } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS free', [
      `weir/audience/${definition.audience}`,
    ])
    if (!locks[0]!.free) throw new Failure('transient', `Audience ${definition.audience} is being prepared by another attempt.`)
    try {
      const { rows } = await client.query<{ prepared: Prepared | null }>('SELECT prepared FROM _weir.audience_runs WHERE run_id = $1', [
        run,
      ])
      if (rows[0]?.prepared) return rows[0].prepared
      await client.query('DELETE FROM _weir.audience_changes WHERE run_id = $1', [run])
      const prepared = await onClient(definition, () => compare(client, secret, { ...input, table: '_weir.audience_changes' }))
      await client.query('UPDATE _weir.audience_runs SET prepared = $2, change_set = $3, prepared_at = now() WHERE run_id = $1', [
        run,
        JSON.stringify(prepared),
        prepared.changeSet,
      ])
      return prepared
    } finally {
      await client.query('SELECT pg_advisory_unlock_all()').catch(() => undefined)
      await client.query(`DROP TABLE IF EXISTS ${peopleTable}, ${erasedTable}`).catch(() => undefined)
    }
  })
}

const sampleRows = 5
const previewTable = 'pg_temp._weir_previewed'

/** The same in tables of the session alone. */
export async function preview(
  pool: pg.Pool,
  secret: DerivedKey,
  input: Omit<PrepareInput, 'run'>,
): Promise<Prepared & { sample: Record<string, SampledChange[]> }> {
  const { definition } = input
  return onConnection(pool, `Previewing audience ${definition.audience}`, async (client) => {
    await client.query(`DROP TABLE IF EXISTS ${previewTable}`)
    await client.query(`CREATE TABLE ${previewTable} (LIKE _weir.audience_changes INCLUDING DEFAULTS INCLUDING IDENTITY)`)
    try {
      const prepared = await onClient(definition, () => compare(client, secret, { ...input, run: 'preview', table: previewTable }))
      const sample: Record<string, SampledChange[]> = {}
      for (const destination of Object.keys(definition.destinations)) {
        const { rows } = await client.query<SampledChange>(
          `SELECT action, cause, key, coalesce((SELECT jsonb_agg(k) FROM jsonb_object_keys(identifiers) AS k), '[]') AS identifiers,
             coalesce((SELECT jsonb_agg(k) FROM jsonb_object_keys(fields) AS k), '[]') AS fields
           FROM (SELECT *, row_number() OVER (PARTITION BY action ORDER BY seq) AS n FROM ${previewTable}
                 WHERE destination = $1 AND action IN ('add', 'update', 'remove')) AS c
           WHERE n <= ${sampleRows} ORDER BY action, seq`,
          [destination],
        )
        sample[destination] = rows
      }
      return { ...prepared, sample }
    } finally {
      await client.query(`DROP TABLE IF EXISTS ${peopleTable}, ${erasedTable}, ${previewTable}`).catch(() => undefined)
    }
  })
}

async function compare(client: pg.ClientBase, secret: DerivedKey, work: Work): Promise<Prepared> {
  const { definition } = work
  const rows = await gatherPeople(client, definition, secret.key)
  await gatherErased(client, definition, secret)
  const { rows: counted } = await client.query<{ exclusion: Exclusion | null; people: number }>(
    `SELECT exclusion, count(*)::int AS people FROM ${peopleTable} GROUP BY exclusion`,
  )
  const suppressed: Record<string, number> = {}
  for (const { model } of definition.suppress) {
    const { rows: lists } = await client.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${subquery(model)} AS s`)
    suppressed[model.name] = lists[0]!.rows
  }
  const destinations: Prepared['destinations'] = {}
  for (const name of Object.keys(definition.destinations)) destinations[name] = await compareOne(client, work, name)
  return {
    rows,
    people: counted.find(({ exclusion }) => exclusion === null)?.people ?? 0,
    excluded: Object.fromEntries(counted.flatMap(({ exclusion, people }) => (exclusion ? [[exclusion, people]] : []))),
    suppressed,
    destinations,
    changeSet: await nameOf(client, work),
  }
}

/** At the vendor people of one address are one: while another of them is to stay, nothing is taken away. A refusal is of the address. */
const isShared = `EXISTS (SELECT 1 FROM _weir.audience_members AS o JOIN ${peopleTable} AS q ON q.key = o.key AND q.exclusion IS NULL
  WHERE o.audience = m.audience AND o.destination = m.destination AND o.identity = m.identity AND o.key <> m.key
    AND o.state IN ('intended', 'accepted', 'confirmed'))`

async function compareOne(client: pg.ClientBase, work: Work, destination: string): Promise<Prepared['destinations'][string]> {
  const { definition, run, table } = work
  const { audience } = definition
  const { mode } = definition.destinations[destination]!
  const excluded: Partial<Record<Exclusion, number>> = {}
  let looked = 0
  for (let after = ''; ; ) {
    const page = await candidates(client, work, destination, after)
    if (page.length === 0) break
    const encoded = await withoutErased(client, work.encode(destination, page))
    await insert(client, work, destination, page, encoded)
    for (const one of encoded) if ('excluded' in one) excluded[one.excluded] = (excluded[one.excluded] ?? 0) + 1
    looked += page.length
    work.onProgress(looked)
    after = page.at(-1)!.key
  }
  // Who is held and is no longer to be: by the ledger, which knows them when the model does not.
  const why = `coalesce(p.exclusion, CASE WHEN x.key IS NOT NULL THEN 'erased' END)`
  const isLeaving = mode === 'mirror' ? 'true' : `${why} IN (${owedList})`
  if (mode !== 'remove')
    await client.query(
      `INSERT INTO ${table} (run_id, destination, action, cause, key, identity, print, content, identifiers, fields, vendor_id, marks, is_owed)
       SELECT $1, $2, CASE WHEN coalesce(${why} IN (${owedList}), false) IS FALSE AND ${isShared} THEN 'forget' ELSE 'remove' END, coalesce(${why}, 'left'), m.key, m.identity, m.print, m.content, m.identifiers, '{}', m.vendor_id, m.marks,
         coalesce(${why} IN (${owedList}), false)
       FROM _weir.audience_members AS m LEFT JOIN ${peopleTable} AS p ON p.key = m.key LEFT JOIN ${erasedTable} AS x ON x.key = m.key
       WHERE m.audience = $3 AND m.destination = $2 AND (m.state IN ('intended', 'accepted', 'confirmed', 'removing') OR m.state IN ('rejected', 'dead') AND m.added_at IS NOT NULL)
         AND (CASE WHEN p.key IS NULL OR p.exclusion IS NOT NULL THEN coalesce(${isLeaving}, false)
                   ELSE m.state = 'removing' AND NOT EXISTS (SELECT 1 FROM ${table} AS c WHERE c.run_id = $1 AND c.destination = $2
                     AND c.key = m.key AND c.identity = m.identity) END)`,
      [run, destination, audience],
    )
  return countsOf(client, work, destination, excluded)
}

/** Who was erased is known by address and number here, whatever key the model has for them. */
async function withoutErased(client: pg.ClientBase, encoded: readonly Encoded[]): Promise<Encoded[]> {
  const erased = await erasedMarks(
    client,
    encoded.flatMap(({ marks }) => marks),
  )
  return encoded.map((one) =>
    one.marks.some((mark) => erased.has(mark))
      ? { key: one.key, marks: one.marks, excluded: 'erased', why: 'This person was erased.' }
      : one,
  )
}

/** People to be held whose row is new, changed, refused before, or due again. */
async function candidates(client: pg.ClientBase, work: Work, destination: string, after: string): Promise<Candidate[]> {
  const { definition } = work
  const isRemoval = definition.destinations[destination]!.mode === 'remove'
  const { renewAfterMs } = work.destinations[destination]!
  const isDue = renewAfterMs === undefined ? 'false' : `m.added_at < now() - interval '${Math.floor(renewAfterMs)} milliseconds'`
  const held = isRemoval ? `'removed', 'removing', 'rejected'` : `'intended', 'accepted', 'confirmed', 'rejected', 'dead'`
  // Refused when it was sent again: the destination may hold it all the same, as it was.
  const state = isRemoval
    ? 'm.state'
    : `CASE WHEN m.state IN ('rejected', 'dead') AND m.added_at IS NOT NULL THEN 'intended' ELSE m.state END AS state`
  const { rows } = await client.query<Candidate>(
    `SELECT p.key, p.body, p.print, m.identity, m.content, ${state}, coalesce(${isDue}, false) AS is_due
     FROM ${peopleTable} AS p LEFT JOIN _weir.audience_members AS m
       ON m.audience = $1 AND m.destination = $2 AND m.key = p.key AND m.state IN (${held})
     WHERE p.exclusion IS NULL AND p.key > $3
       AND (m.key IS NULL OR m.print <> p.print OR m.state IN ('intended', 'removing') OR (m.state = 'rejected' AND NOT m.is_final) OR ${isDue}
         ${isRemoval ? '' : 'OR m.marks IS NULL'})
     ORDER BY p.key LIMIT ${pageRows}`,
    [definition.audience, destination, after],
  )
  return rows
}

/** What becomes of each: sent, sent anew, taken back under its old identifiers, left out, or noted as unchanged. */
async function insert(
  client: pg.ClientBase,
  { run, table, definition }: Work,
  destination: string,
  page: readonly Candidate[],
  encoded: readonly Encoded[],
): Promise<void> {
  const isRemoval = definition.destinations[destination]!.mode === 'remove'
  const changes: object[] = []
  encoded.forEach((one, at) => {
    const { key, print, identity, content, state, is_due } = page[at]!
    const { marks } = one
    const common = { key, print: print.toString('hex'), marks }
    const isHeld = identity !== null && (state === 'accepted' || state === 'confirmed' || state === 'intended')
    const old = { ...common, action: 'remove', identity, content }
    if ('excluded' in one) {
      if (isHeld && !isRemoval) changes.push({ ...old, cause: one.excluded, is_owed: one.excluded === 'erased' })
      changes.push({ ...common, action: 'exclude', cause: one.excluded, identity: '', content: '', message: one.why })
      return
    }
    const { identifiers, fields } = one
    const next = { ...common, identity: one.identity, content: one.content, identifiers, fields }
    if (isRemoval) {
      if (state !== 'removed') changes.push({ ...next, action: 'remove', cause: 'listed', fields: {} })
      return
    }
    if (isHeld && identity !== one.identity)
      changes.push({ ...old, cause: 'readdressed' }, { ...next, action: 'add', cause: 'readdressed' })
    else if (!isHeld) changes.push({ ...next, action: 'add', cause: state === null ? 'new' : 'retry' })
    else if (state === 'intended') changes.push({ ...next, action: 'add', cause: 'retry' })
    else if (is_due) changes.push({ ...next, action: 'add', cause: 'renewed' })
    else if (content !== one.content) changes.push({ ...next, action: 'update', cause: 'changed' })
    else changes.push({ ...common, action: 'keep', cause: 'changed', identity: one.identity, content: one.content })
  })
  await client.query(
    `INSERT INTO ${table} (run_id, destination, action, cause, key, identity, print, content, identifiers, fields, message, vendor_id, is_owed, marks)
     SELECT $1, $2, CASE WHEN c.cause = 'readdressed' AND c.action = 'remove' AND ${isShared} THEN 'forget' ELSE c.action END, c.cause, c.key, c.identity, decode(c.print, 'hex'), c.content,
       CASE WHEN c.action = 'remove' AND c.identifiers IS NULL THEN m.identifiers ELSE c.identifiers END, coalesce(c.fields, '{}'), c.message, m.vendor_id,
       coalesce(c.is_owed, false), CASE WHEN c.action = 'remove' AND c.identifiers IS NULL THEN coalesce(m.marks, '{}') || CASE WHEN c.is_owed THEN c.marks ELSE '{}' END ELSE c.marks END
     FROM jsonb_to_recordset($3) AS c (action text, cause text, key text, identity text, print text, content text, identifiers jsonb, fields jsonb, message text, is_owed boolean, marks text[], at int)
     LEFT JOIN _weir.audience_members AS m ON m.audience = $4 AND m.destination = $2 AND m.key = c.key AND m.identity = c.identity
     ORDER BY c.at`,
    [run, destination, JSON.stringify(changes.map((change, at) => ({ ...change, at }))), definition.audience],
  )
}

async function countsOf(
  client: pg.ClientBase,
  { run, table, definition }: Work,
  destination: string,
  excluded: Partial<Record<Exclusion, number>>,
): Promise<Prepared['destinations'][string]> {
  const { rows } = await client.query<{ action: string; cause: string; is_owed: boolean; changes: number }>(
    `SELECT action, cause, is_owed, count(*)::int AS changes FROM ${table} WHERE run_id = $1 AND destination = $2 GROUP BY action, cause, is_owed`,
    [run, destination],
  )
  const { rows: ledger } = await client.query<{ held: number; unchanged: number }>(
    `SELECT count(*)::int AS held, count(*) FILTER (WHERE c.key IS NULL)::int AS unchanged
     FROM _weir.audience_members AS m LEFT JOIN (SELECT DISTINCT key, identity FROM ${table}
       WHERE run_id = $1 AND destination = $2 AND action IN ('add', 'update', 'remove')) AS c ON c.key = m.key AND c.identity = m.identity
     WHERE m.audience = $3 AND m.destination = $2 AND m.state IN ('accepted', 'confirmed')`,
    [run, destination, definition.audience],
  )
  const sum = (wanted: string) => rows.filter(({ action }) => action === wanted).reduce((all, { changes }) => all + changes, 0)
  const causes: Record<string, number> = {}
  for (const { action, cause, changes } of rows) if (!quiet.includes(action)) causes[cause] = (causes[cause] ?? 0) + changes
  return {
    add: sum('add'),
    update: sum('update'),
    remove: sum('remove'),
    owed: rows.filter(({ is_owed }) => is_owed).reduce((all, { changes }) => all + changes, 0),
    ...ledger[0]!,
    causes,
    excluded,
  }
}

/** SHA-256 over the changes in their order, in two steps so that no text grows with them. */
async function nameOf(client: pg.ClientBase, { run, table }: Work): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT encode(sha256(convert_to(coalesce(string_agg(part, '' ORDER BY destination, chunk), ''), 'UTF8')), 'hex') AS name FROM (
       SELECT destination, n / 10000 AS chunk,
         encode(sha256(convert_to(string_agg(concat_ws(' ', destination, action, cause, key, identity, content), E'\\n' ORDER BY n), 'UTF8')), 'hex') AS part
       FROM (SELECT *, row_number() OVER (PARTITION BY destination ORDER BY action, key, identity) AS n FROM ${table}
             WHERE run_id = $1 AND action IN ('add', 'update', 'remove')) AS numbered
       GROUP BY destination, n / 10000) AS parts`,
    [run],
  )
  return rows[0]!.name
}
