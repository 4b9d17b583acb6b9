import type { BackfillActivities } from '../../src/core/backfill.js'
import { requireLetterKey } from '../../src/engine/dead-letters.js'
import { planBackfill, rangedPasses } from '../../src/engine/plan-backfill.js'
import type { Deps } from '../deps.js'
import { running, workflowId } from './context.js'
import { openStream } from './open-stream.js'

/** Slices read at once, of all streams together, where nobody says how many: half of a worker's places are left to live syncs. */
const parallelByDefault = 4

/** What a backfill asks of the worker beside the live sync's own activities. All its requests go behind those of live syncs. */
export function backfillActivities(deps: Deps): BackfillActivities {
  const { warehouse, redact, timing } = deps

  return {
    startBackfill: ({ id, run, definition: hash, sync, streams, from, to, by, sliceDays, parallel }) =>
      running(redact, async ({ signal }) => {
        const opened = await Promise.all(streams.map((name) => openStream(deps, hash, name, signal, { priority: 'backfill' })))
        for (const { definition, stream } of opened) rangedPasses(definition, stream)
        const [{ definition, shareMs: requestMs }] = opened as [(typeof opened)[number]]
        await requireLetterKey(warehouse, definition, streams)
        const row = {
          id,
          run,
          workflow: workflowId(),
          definition: hash,
          sync,
          streams,
          from,
          to,
          createdBy: by,
          sliceDays,
          parallel,
          requestMs,
        }
        await warehouse.backfills.start(row)
        return { vendor: definition.connection.type, parallel: parallel ?? parallelByDefault, timing }
      }),
    planBackfill: ({ id: backfill, run, definition: hash, stream: name, from, to, sliceDays }) =>
      running(redact, async ({ signal }) => {
        const { definition, stream, http } = await openStream(deps, hash, name, signal, { priority: 'backfill' })
        return planBackfill({ warehouse, http, definition, stream, backfill, run, from, to, sliceDays })
      }),
    markBackfill: ({ id, status }) => running(redact, () => warehouse.backfills.mark(id, status)),
    finishBackfill: ({ id, status, failure }) => running(redact, () => warehouse.backfills.finish(id, status, failure)),
  }
}
