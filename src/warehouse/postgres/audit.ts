/** The audit log: a chain of hashes, one row after another. */
import { createHash, createHmac } from 'node:crypto'
import type pg from 'pg'
import { canonical } from '../../core/canonical.js'
import { Failure } from '../../core/failure.js'
import { deriveKey } from '../../keys/derive.js'
import type { AuditEntry, AuditHead, AuditRow, AuditStore, AuditVerdict } from '../contract/audit.js'
import { transaction } from './pool.js'

/** Appends within a transaction, as its last statement: what is decided and that it was decided are one. */
export type Append = (client: pg.ClientBase, entry: AuditEntry) => Promise<void>

interface Row {
  seq: string
  at: Date
  event: AuditRow['event']
  actor: string | null
  audience: string | null
  run_id: string | null
  detail: Record<string, unknown>
  key_name: string | null
  previous: string
  hash: string
}
interface Head {
  seq: string
  hash: string
  key_name: string | null
  seal: string
}

const pageRows = 1_000

export function createAudit(pool: pg.Pool, weirKey: string | undefined): AuditStore & { append: Append } {
  const own = weirKey === undefined ? undefined : deriveKey(weirKey, 'audit')

  /** With a key nobody without it can make a chain that fits. @param key the one that is named where the hash stands */
  const hashOf = (text: string, key: string | null | undefined): string => {
    if (key === null || key === undefined) return createHash('sha256').update(text, 'utf8').digest('hex')
    if (key === own?.fingerprint) return createHmac('sha256', own.key).update(text, 'utf8').digest('hex')
    const mine = own ? `the one that is set is ${own.fingerprint}` : 'none is set'
    throw new Failure('config', `The audit log was made with WEIR_KEY ${key}, and ${mine}. Set the key that made it.`)
  }
  const rowHash = ({ hash: _, ...row }: AuditRow) => hashOf(canonical(row), row.key)
  const sealOf = ({ seq, hash }: AuditHead, key: string | null | undefined) => hashOf(`head ${seq} ${hash}`, key)

  return {
    async append(client, entry) {
      const { rows } = await client.query<Head>('SELECT seq, hash FROM _weir.audit_head FOR UPDATE')
      const { rows: clock } = await client.query<{ at: Date }>('SELECT clock_timestamp() AS at')
      const row = {
        ...entry,
        seq: Number(rows[0]!.seq) + 1,
        at: clock[0]!.at.toISOString(),
        ...(own ? { key: own.fingerprint } : {}),
        previous: rows[0]!.hash,
        hash: '',
      }
      row.hash = rowHash(row)
      const { seq, at, event, by, audience, run, detail, key, previous, hash } = row
      await client.query(
        `INSERT INTO _weir.audit_log (seq, at, event, actor, audience, run_id, detail, key_name, previous, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [seq, at, event, by ?? null, audience ?? null, run ?? null, JSON.stringify(detail), key ?? null, previous, hash],
      )
      await client.query('UPDATE _weir.audit_head SET seq = $1, hash = $2, key_name = $3, seal = $4', [
        seq,
        hash,
        key ?? null,
        sealOf(row, key),
      ])
    },

    async list({ audience, event, limit }) {
      const { rows } = await pool.query<Row>(
        `SELECT * FROM _weir.audit_log WHERE ($1::text IS NULL OR audience = $1) AND ($2::text IS NULL OR event = $2) ORDER BY seq DESC LIMIT $3`,
        [audience ?? null, event ?? null, limit],
      )
      return rows.map(auditRow)
    },

    verify: (noted) =>
      transaction(pool, 'Verifying the audit log', async (client) => {
        // Rows and head of one moment: others may go on appending.
        await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
        const seen = await walk(client, rowHash, noted)
        const { rows } = await client.query<Head>('SELECT seq, hash, key_name, seal FROM _weir.audit_head')
        const broken = seen.broken ?? judgeEnd(seen.head, rows[0], sealOf, noted)
        return { ...seen, ...(broken ? { broken } : {}) }
      }),
  }
}

/** Row by row from the first, until one does not fit. */
async function walk(client: pg.ClientBase, rowHash: (row: AuditRow) => string, noted?: AuditHead): Promise<AuditVerdict> {
  let head: AuditHead = { seq: 0, hash: '' }
  let withoutKey = 0
  for (;;) {
    const { rows } = await client.query<Row>('SELECT * FROM _weir.audit_log WHERE seq > $1 ORDER BY seq LIMIT $2', [head.seq, pageRows])
    for (const row of rows.map(auditRow)) {
      const problem = misfit(row, head, rowHash, noted)
      if (problem) return { rows: head.seq, withoutKey, head, broken: problem }
      if (row.key === undefined) withoutKey++
      head = { seq: row.seq, hash: row.hash }
    }
    if (rows.length < pageRows) return { rows: head.seq, withoutKey, head }
  }
}

function misfit(row: AuditRow, before: AuditHead, rowHash: (row: AuditRow) => string, noted?: AuditHead): AuditVerdict['broken'] {
  if (row.seq !== before.seq + 1) return { seq: before.seq + 1, problem: 'it is gone' }
  if (row.previous !== before.hash) return { seq: row.seq, problem: 'it does not follow the row before it' }
  if (row.hash !== rowHash(row)) return { seq: row.seq, problem: 'it was altered: its hash is of another content' }
  if (row.seq === noted?.seq && row.hash !== noted.hash) return { seq: row.seq, problem: 'it is not the row that was noted elsewhere' }
  return undefined
}

/** A log that was cut off ends before its head; a head that was put back was not sealed with the key. */
function judgeEnd(
  last: AuditHead,
  head: Head | undefined,
  sealOf: (head: AuditHead, key: string | null) => string,
  noted?: AuditHead,
): AuditVerdict['broken'] {
  if (!head) return { seq: last.seq + 1, problem: 'the head of the log is gone, so nobody knows whether it was cut off here' }
  const seq = Number(head.seq)
  if (seq > last.seq) return { seq: last.seq + 1, problem: `the log was cut off: its head says that it ends with row ${seq}` }
  if (seq < last.seq || head.hash !== last.hash) return { seq, problem: 'the head of the log names another row than its last' }
  if (seq > 0 && head.seal !== sealOf({ seq, hash: head.hash }, head.key_name))
    return { seq, problem: 'the head of the log was altered: its seal is of another row' }
  if (noted && noted.seq > last.seq) return { seq: last.seq + 1, problem: `the log was cut off: row ${noted.seq} was noted elsewhere` }
  return undefined
}

const auditRow = ({ seq, at, event, actor, audience, run_id, detail, key_name, previous, hash }: Row): AuditRow => ({
  seq: Number(seq),
  at: at.toISOString(),
  event,
  ...(actor === null ? {} : { by: actor }),
  ...(audience === null ? {} : { audience }),
  ...(run_id === null ? {} : { run: run_id }),
  detail,
  ...(key_name === null ? {} : { key: key_name }),
  previous,
  hash,
})
