/** What the audit log keeps of a push: names, hashes and counts. Messages of vendors stay out, since they may quote a member. */
import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { AudienceDefinition, ModelDefinition } from '../../../core/audience.js'
import { canonical } from '../../../core/canonical.js'
import type { AudienceStore, DestinationRow, PushRow } from '../../contract/audiences.js'
import type { AuditEntry } from '../../contract/audit.js'

export const asked = ({ run, audience, definition, kind, requestedBy }: Parameters<AudienceStore['begin']>[0]): AuditEntry => ({
  event: 'push_asked',
  by: requestedBy,
  audience,
  run,
  detail: { kind, definition },
})

/** What would change, by destination, action and cause, and what its gates said. */
export async function judged(client: pg.ClientBase, push: PushRow, reasons: readonly string[]): Promise<AuditEntry> {
  const { audience, run, prepared, definition } = push
  const { rows } = await client.query<{ body: AudienceDefinition }>('SELECT body FROM _weir.definitions WHERE hash = $1', [definition])
  const body = rows[0]?.body
  return {
    event: 'push_judged',
    audience,
    run,
    detail: {
      definition,
      ...prepared,
      ...(body ? { model: modelHash(body.model), gates: body.gates, to: placesOf(body) } : {}),
      reasons,
    },
  }
}

const modelHash = ({ sql, key }: ModelDefinition) => createHash('sha256').update(canonical({ sql, key })).digest('hex')

const placesOf = ({ destinations }: AudienceDefinition) =>
  Object.fromEntries(
    Object.entries(destinations).map(([name, { connection, kind, target, mode }]) => [
      name,
      { connection: connection.name, type: connection.type, kind, target, mode },
    ]),
  )

/** How it ended, who decided it, and what became of its changes. */
export const ended = (push: PushRow, rows: readonly DestinationRow[]): AuditEntry => ({
  event: 'push_ended',
  by: push.requestedBy,
  audience: push.audience,
  run: push.run,
  detail: {
    outcome: push.status,
    changeSet: push.prepared?.changeSet,
    decision: decisionOf(push),
    decidedBy: push.decision?.by,
    reason: push.failure?.reason,
    destinations: Object.fromEntries(
      rows.map(({ destination, target, sent, accepted, confirmed, rejected, removed, dropped, dead, batches }) => [
        destination,
        { target: target && { id: target.id, name: target.name }, sent, accepted, confirmed, rejected, removed, dropped, dead, batches },
      ]),
    ),
  },
})

/** `expired`: nobody decided in time. */
function decisionOf({ decision, expiresAt, finishedAt }: PushRow): 'approved' | 'rejected' | 'expired' | undefined {
  if (decision) return decision.isApproved ? 'approved' : 'rejected'
  return expiresAt !== undefined && finishedAt !== undefined && expiresAt <= finishedAt ? 'expired' : undefined
}
