/** A push's changes on their way: intent in the ledger before the call, outcome after it. */
import type pg from 'pg'
import type { ChangeAction, IdentifierKind, Outcome } from '../../../core/audience.js'
import type { AudienceStore, Pending, PushBatch } from '../../contract/audiences.js'
import { transaction } from '../pool.js'
import { erasedSince, isNowhere } from './erased.js'
import { exclusionOf, keyOf, onClient, subquery } from './model.js'

type Ref = Parameters<AudienceStore['claim']>[0]

interface ChangeRow {
  seq: string
  action: ChangeAction
  key: string
  identity: string
  identifiers: Partial<Record<IdentifierKind, string>> | null
  fields: Record<string, unknown>
  vendor_id: string | null
}

/** What needs no call at all goes straight to the ledger: who cannot be sent, and whose row changed in nothing that is sent. */
async function settleQuiet(client: pg.ClientBase, run: string, destination: string, audience: string): Promise<void> {
  await client.query(
    `WITH gone AS (DELETE FROM _weir.audience_changes WHERE run_id = $1 AND destination = $2 AND action IN ('exclude', 'keep') RETURNING *),
     forgotten AS (UPDATE _weir.audience_changes SET state = 'done' WHERE run_id = $1 AND destination = $2 AND action = 'forget' AND state = 'pending' RETURNING *),
     settled AS (SELECT * FROM gone WHERE cause <> 'erased' UNION ALL SELECT * FROM forgotten),
     erased AS (DELETE FROM _weir.audience_members AS m USING gone AS g
       WHERE g.cause = 'erased' AND m.audience = $3 AND m.destination = $2 AND m.key = g.key AND ${isNowhere})
     INSERT INTO _weir.audience_members AS m (audience, destination, key, identity, state, cause, print, content, reason, message, is_final, marks, run_id)
     SELECT $3, $2, key, identity, CASE action WHEN 'exclude' THEN 'rejected' WHEN 'forget' THEN 'removed' ELSE 'accepted' END, cause, print, content,
       CASE action WHEN 'exclude' THEN cause END, message, action = 'exclude', marks, $1 FROM settled
     ON CONFLICT (audience, destination, key, identity) DO UPDATE SET print = excluded.print,
       state = CASE excluded.state WHEN 'removed' THEN 'removed' ELSE m.state END,
       cause = CASE WHEN excluded.state = 'rejected' THEN excluded.cause ELSE m.cause END, reason = excluded.reason, message = excluded.message,
       is_final = excluded.is_final, marks = coalesce(excluded.marks, m.marks)`,
    [run, destination, audience],
  )
}

/** The batches that were left open, as they were; else the next changes. */
export async function claim(pool: pg.Pool, secret: Buffer, ref: Ref): Promise<PushBatch[]> {
  const { run, destination, definition, size, lanes } = ref
  for (;;) {
    const claimed = await transaction(pool, `Claiming batches of ${definition.audience}`, async (client) => {
      // One after the other: whoever comes second finds the batches of the first one open.
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`weir/push/${run}/${destination}`])
      const { rows: known } = await client.query<{ id: string; action: ChangeAction; job: Pending | null; is_done: boolean }>(
        `SELECT b.id::text, b.action, b.job, b.state = 'done' AS is_done FROM _weir.audience_batches AS b
         WHERE run_id = $1 AND destination = $2 ORDER BY is_done, b.id LIMIT $3`,
        [run, destination, lanes],
      )
      const batches: PushBatch[] = []
      for (const one of known) if (!one.is_done) batches.push(await batchOf(client, ref, one))
      if (batches.length > 0) return batches
      // Before the first batch: none come later.
      if (known.length === 0) await settleQuiet(client, run, destination, definition.audience)
      const next = await nextChanges(client, ref)
      if (next.length === 0) return []
      const action = next[0]!.action
      const allowed = action === 'remove' ? next : await stillAllowed(client, secret, ref, next)
      const dropped = next.filter((change) => !allowed.includes(change))
      await client.query(
        "UPDATE _weir.audience_changes SET state = 'dropped', identifiers = NULL, fields = NULL WHERE run_id = $1 AND destination = $2 AND seq = ANY ($3)",
        [run, destination, dropped.map(({ seq }) => seq)],
      )
      for (const changes of sideBySide(allowed, size)) batches.push(await open(client, ref, action, changes))
      return batches.length === 0 ? ('again' as const) : batches
    })
    if (claimed !== 'again') return claimed
  }
}

/** People of one identity are in one batch: in two they would race at the vendor. Those for whom it has no room come later. */
function sideBySide(changes: readonly ChangeRow[], size: number): ChangeRow[][] {
  const batches: ChangeRow[][] = []
  const batchOfIdentity = new Map<string, ChangeRow[]>()
  for (const change of changes) {
    const last = batches.at(-1)
    const isFull = !last || last.length >= size
    const theirs = batchOfIdentity.get(change.identity)
    if (theirs && (isFull || theirs !== last)) continue
    const batch = isFull ? [] : last
    if (isFull) batches.push(batch)
    batch.push(change)
    batchOfIdentity.set(change.identity, batch)
  }
  return batches
}

async function open(client: pg.ClientBase, ref: Ref, action: ChangeAction, changes: readonly ChangeRow[]): Promise<PushBatch> {
  const { run, destination } = ref
  const { rows } = await client.query<{ id: string }>(
    "INSERT INTO _weir.audience_batches (run_id, destination, action, members, state) VALUES ($1, $2, $3, $4, 'sending') RETURNING id::text",
    [run, destination, action, changes.length],
  )
  const { id } = rows[0]!
  await client.query(
    `UPDATE _weir.audience_changes SET state = 'claimed', batch = $4 WHERE run_id = $1 AND destination = $2 AND seq = ANY ($3)`,
    [run, destination, changes.map(({ seq }) => seq), id],
  )
  await intend(client, ref, id)
  return batchOf(client, ref, { id, action, job: null })
}

/** Removals first: of an address that changed, the old one leaves before the new one comes. */
const order: readonly ChangeAction[] = ['remove', 'add', 'update']

async function nextChanges(client: pg.ClientBase, { run, destination, size, lanes, isOwedOnly }: Ref): Promise<ChangeRow[]> {
  for (const action of order) {
    const { rows } = await client.query<ChangeRow>(
      `SELECT c.seq::text, c.action, c.key, c.identity FROM _weir.audience_changes AS c
       WHERE run_id = $1 AND destination = $2 AND action = $3 AND state = 'pending' ${isOwedOnly ? 'AND is_owed' : ''}
       ORDER BY c.seq LIMIT ${Math.floor(size * lanes)} FOR UPDATE`,
      [run, destination, action],
    )
    if (rows.length > 0) return rows
  }
  return []
}

/** Those of whom the model, its consent, the suppressions and the erasures still say at this moment what they said. */
async function stillAllowed(client: pg.ClientBase, secret: Buffer, ref: Ref, changes: readonly ChangeRow[]): Promise<ChangeRow[]> {
  const { definition } = ref
  const key = keyOf(definition, 'm')
  const { rows } = await onClient(definition, () =>
    client.query<{ key: string }>(
      `SELECT ${key} AS key FROM ${subquery(definition.model)} AS m
       WHERE ${key} = ANY ($2) AND (${exclusionOf(definition, 'm')}) IS NULL AND $1::bytea IS NOT NULL`,
      [secret, changes.map((change) => change.key)],
    ),
  )
  const allowed = new Set(rows.map((row) => row.key))
  const erased = await erasedSince(
    client,
    secret,
    ref,
    changes.map(({ seq }) => seq),
  )
  return changes.filter(({ key, seq }) => allowed.has(key) && !erased.has(seq))
}

/** The ledger knows of it before the vendor does. */
async function intend(client: pg.ClientBase, { run, destination, definition }: Ref, batch: string): Promise<void> {
  await client.query(
    `INSERT INTO _weir.audience_members AS m
       (audience, destination, key, identity, state, cause, print, content, vendor_id, marks, run_id)
     SELECT $4, $2, key, identity, CASE action WHEN 'remove' THEN 'removing' ELSE 'intended' END, cause, print, content, vendor_id, marks, $1
     FROM _weir.audience_changes WHERE run_id = $1 AND destination = $2 AND batch = $3
     ON CONFLICT (audience, destination, key, identity) DO UPDATE SET state = excluded.state, cause = excluded.cause, print = excluded.print,
       content = excluded.content, run_id = excluded.run_id, marks = CASE excluded.state WHEN 'removing' THEN CASE WHEN m.marks @> excluded.marks THEN m.marks ELSE m.marks || excluded.marks END ELSE coalesce(excluded.marks, m.marks) END, reason = NULL, message = NULL, changed_at = now(),
       is_final = false, attempts = CASE WHEN m.print = excluded.print THEN m.attempts ELSE 0 END`,
    [run, destination, batch, definition.audience],
  )
  // One row a person that says how things stand: what was refused or taken back under other identifiers is over.
  await client.query(
    `DELETE FROM _weir.audience_members AS m USING _weir.audience_changes AS c
     WHERE c.run_id = $1 AND c.destination = $2 AND c.batch = $3 AND m.audience = $4 AND m.destination = $2
       AND m.key = c.key AND m.identity <> c.identity AND m.state IN ('rejected', 'dead', 'removed')`,
    [run, destination, batch, definition.audience],
  )
}

async function batchOf(
  client: pg.ClientBase,
  { run, destination }: Ref,
  { id, action, job }: { id: string; action: ChangeAction; job: Pending | null },
): Promise<PushBatch> {
  const { rows } = await client.query<ChangeRow>(
    `SELECT c.seq::text, c.identifiers, c.fields, c.vendor_id FROM _weir.audience_changes AS c
     WHERE run_id = $1 AND destination = $2 AND batch = $3 AND state = 'claimed' ORDER BY c.seq`,
    [run, destination, id],
  )
  const members = rows.map(({ seq, identifiers, fields, vendor_id }) => ({
    ref: seq,
    identifiers: identifiers ?? {},
    fields: fields ?? {},
    ...(vendor_id === null ? {} : { vendorId: vendor_id }),
  }))
  return { id, action, members, ...(job ? { pending: job } : {}) }
}

/** The batch stays open until what is asked for is known. */
export async function awaitJobs(pool: pg.Pool, batch: PushBatch, pending: Pending): Promise<void> {
  await pool.query("UPDATE _weir.audience_batches SET state = 'polling', job = $2 WHERE id = $1 AND state <> 'done'", [
    batch.id,
    JSON.stringify(pending),
  ])
}

/** What became of a batch: changes, ledger and counts in one transaction. A second call finds it done and changes nothing. */
export async function settle(
  pool: pg.Pool,
  { run, destination, batch }: Parameters<AudienceStore['settle']>[0],
  outcomes: readonly Outcome[],
  { names, attempts, keeps, unnamed }: Parameters<AudienceStore['settle']>[2],
): Promise<void> {
  const said = Object.fromEntries(outcomes.map((outcome) => [outcome.ref, rowOf(outcome)]))
  await transaction(pool, 'Settling a batch', async (client) => {
    const { rowCount } = await client.query("SELECT 1 FROM _weir.audience_batches WHERE id = $1 AND state <> 'done' FOR UPDATE", [batch.id])
    if (rowCount === 0) return
    const taken = batch.action === 'remove' ? 'removed' : names ? 'confirmed' : 'accepted'
    const { rows } = await client.query<{ state: string; members: number }>(
      // Every member is looked up by its key, in both tables: joins of what was written just now are planned blindly, and ten thousand by ten thousand take minutes.
      `WITH done AS (
         UPDATE _weir.audience_changes AS c SET state = CASE WHEN $4::jsonb -> c.seq::text ->> 'reason' IS NULL THEN 'done' ELSE 'rejected' END
         WHERE c.run_id = $1 AND c.destination = $2 AND c.batch = $3 AND c.state = 'claimed'
         RETURNING c.key, c.identity, c.cause, c.print, c.content, c.identifiers, $4::jsonb -> c.seq::text ->> 'vendor_id' AS vendor_id,
           $4::jsonb -> c.seq::text ->> 'reason' AS reason, $4::jsonb -> c.seq::text ->> 'message' AS message,
           coalesce(($4::jsonb -> c.seq::text ->> 'is_final')::boolean, false) AS is_final),
       known AS (SELECT d.*, r.audience FROM done AS d, _weir.audience_runs AS r
         WHERE r.run_id = $1 AND (SELECT true FROM _weir.audience_members AS m
           WHERE m.audience = r.audience AND m.destination = $2 AND m.key = d.key AND m.identity = d.identity)),
       ledger AS (
         INSERT INTO _weir.audience_members AS m
           (audience, destination, key, identity, state, cause, print, content, vendor_id, reason, message, is_final, identifiers, run_id, added_at)
         SELECT audience, $2, key, identity, CASE WHEN reason IS NULL THEN $5 WHEN $5 = 'removed' THEN 'removing' ELSE 'rejected' END, cause, print,
           content, vendor_id, reason, coalesce(message, $8), is_final,
           CASE WHEN $5 = 'removed' AND reason IS NULL THEN NULL
             ELSE (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(identifiers) AS e WHERE e.key = ANY ($7)) END,
           $1, CASE WHEN $5 <> 'removed' THEN now() END
         FROM known
         ON CONFLICT (audience, destination, key, identity) DO UPDATE SET
           state = CASE WHEN excluded.state = 'rejected' AND (excluded.is_final OR m.attempts + 1 >= $6) THEN 'dead' ELSE excluded.state END, vendor_id = coalesce(excluded.vendor_id, m.vendor_id), reason = excluded.reason, message = excluded.message,
           attempts = CASE WHEN excluded.reason IS NULL THEN 0 ELSE m.attempts + 1 END,
           is_final = excluded.reason IS NOT NULL AND (excluded.is_final OR m.attempts + 1 >= $6), identifiers = excluded.identifiers,
           added_at = CASE WHEN excluded.reason IS NULL THEN excluded.added_at ELSE m.added_at END, changed_at = now()
         RETURNING m.state)
       SELECT state, count(*)::int AS members FROM ledger GROUP BY state`,
      [run, destination, batch.id, JSON.stringify(said), taken, attempts, keeps, unnamed?.message ?? null],
    )
    const count = (...states: string[]) => rows.filter(({ state }) => states.includes(state)).reduce((sum, { members }) => sum + members, 0)
    const lost = Math.min(unnamed?.members ?? 0, count('accepted'))
    await client.query(
      "UPDATE _weir.audience_batches SET state = 'done', done_at = now(), job = NULL, accepted = $2, confirmed = $3, rejected = $4, removed = $5 WHERE id = $1",
      [batch.id, count('accepted') - lost, count('confirmed'), count('rejected', 'dead', 'removing') + lost, count('removed')],
    )
  })
}

const rowOf = (outcome: Outcome) =>
  'refused' in outcome
    ? { reason: outcome.refused.reason, message: outcome.refused.message, is_final: outcome.isFinal ?? false }
    : { vendor_id: outcome.vendorId ?? null }
