import type { ReplayActivities } from '../../src/core/activities.js'
import { finishReplay, replayLetters } from '../../src/engine/replay.js'
import type { Deps } from '../deps.js'
import { running, workflowId } from './context.js'
import { openStream } from './open-stream.js'

/** What a replay of dead letters asks of the worker. No vendor is called. */
export function replayActivities(deps: Deps): ReplayActivities {
  const { warehouse, clock, redact } = deps
  return {
    replayLetters: ({ sync, definition: hash, stream: name, run, filter, after, limit }) =>
      running(redact, async ({ signal, report }) => {
        await warehouse.runs.start({ run, sync, definition: hash, kind: 'replay', workflow: workflowId() })
        const { definition, stream } = await openStream(deps, hash, name, signal)
        const onProgress = (tried: number) => report({ tried })
        const part = { run, filter, ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) }
        return replayLetters({ warehouse, clock, definition, stream, signal, onProgress, ...part })
      }),
    finishReplay: (input) => running(redact, () => finishReplay(warehouse, input)),
  }
}
