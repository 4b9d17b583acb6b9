import type { AudienceDefinition } from '../../src/core/audience.js'
import type { ConnectionDefinition } from '../../src/core/definition.js'
import { asFailure } from '../../src/core/failure.js'
import type { PushActivities } from '../../src/core/push.js'
import { preparePush, previewPush } from '../../src/engine/audience/prepare-push.js'
import { pushBatches } from '../../src/engine/audience/push-batch.js'
import type { Deps } from '../deps.js'
import { running } from './context.js'
import { skipPush } from './dependents.js'

/** So long an activity goes on claiming batches; then it is called anew: its history shows progress, and attempts that failed long ago slow no later one. */
const workMs = 30_000

/** What a push of an audience asks of the worker. */
export function pushActivities(deps: Deps): PushActivities {
  const { warehouse, clock, redact } = deps
  const definitionOf = (hash: string): Promise<AudienceDefinition> => warehouse.definitions.audience(hash)

  return {
    previewPush: ({ definition: hash }) =>
      running(redact, async ({ signal, report }) => {
        const reach = (connection: ConnectionDefinition, kind: string) => deps.reach(connection, kind, signal)
        const onProgress = (people: number) => report({ people })
        const answer = await previewPush({
          warehouse,
          definition: await definitionOf(hash),
          reach,
          mark: deps.mark(),
          now: clock.now(),
          onProgress,
        })
        return { handover: await warehouse.handovers.put(answer) }
      }),

    preparePush: (step) =>
      running(redact, async ({ signal, report }) => ({
        ...(await preparePush({
          warehouse,
          definition: await definitionOf(step.definition),
          step,
          reach: (connection, kind) => deps.reach(connection, kind, signal),
          mark: deps.mark(),
          now: clock.now(),
          onProgress: (people) => report({ people }),
        })),
        timing: deps.timing,
      })),

    awaitDecision: ({ run, expiresMs }) =>
      running(redact, async () => {
        const expiresAt = new Date(clock.now().getTime() + expiresMs).toISOString()
        await warehouse.audiences.setStatus(run, 'waiting', { expiresAt })
        return { expiresAt }
      }),

    decidePush: ({ run, changeSet, by, isApproved }) =>
      running(redact, async () => ({ isTaken: await warehouse.audiences.decide(run, changeSet, { by, isApproved }) })),

    skipPush: ({ audience }) => running(redact, async () => ({ skipped: await skipPush(deps, audience) })),

    pushMembers: ({ run, definition: hash, destination: name, isOwedOnly }) =>
      running(redact, async ({ attempt, signal, report }) => {
        const definition = await definitionOf(hash)
        const { connection, kind } = definition.destinations[name]!
        const { destination, http } = await deps.reach(connection, kind, signal)
        const { target } = (await warehouse.audiences.destinations(run)).find((row) => row.destination === name)!
        // One that was tried again ends with its first batches: the waits between attempts begin small again.
        const endsAt = clock.now().getTime() + (attempt === 1 ? workMs : 0)
        let members = 0
        try {
          for (;;) {
            signal.throwIfAborted()
            const end = await pushBatches({ warehouse, http, definition, name, destination, target: target!, run, isOwedOnly })
            members += end.members
            report({ members })
            if (end.askAgainMs !== undefined) return { members, more: true, askAgainMs: end.askAgainMs }
            if (end.members === 0) return { members, more: false }
            if (clock.now().getTime() >= endsAt) return { members, more: true }
          }
        } catch (error) {
          const { reason, where } = asFailure(error)
          if (reason !== 'throttled' || where.waitUntil === undefined) throw error
          return { members, more: true, waitUntil: where.waitUntil, waitsFor: where.waitsFor ?? 'quota' }
        }
      }),

    finishPush: ({ run, audience, status, failures, failure }) =>
      running(redact, async () => {
        const rows = await warehouse.audiences.destinations(run)
        const names = Object.keys(failures)
        const [first] = names
        const note =
          failure ??
          (first === undefined
            ? undefined
            : {
                ...failures[first]!,
                message: `${names.length === 1 ? '' : `${names.join(', ')} did not complete. `}${first}: ${failures[first]!.message}`,
              })
        const isRejected = rows.some(({ rejected }) => rejected > 0)
        const ended = note ? 'failed' : status === 'completed' && isRejected ? 'completed_with_rejections' : status
        await warehouse.audiences.finish(run, ended, note)
        const [again] = await warehouse.audienceDeployments.due({ audience })
        return {
          status: ended,
          destinations: Object.fromEntries(
            rows.map(({ destination, sent, accepted, confirmed, rejected, removed, dropped }) => [
              destination,
              { sent, accepted, confirmed, rejected, removed, dropped },
            ]),
          ),
          ...(note ? { failure: note } : {}),
          ...(again ? { again: again.definition } : {}),
        }
      }),
  }
}
