import type { ReplayActivities } from '../../src/core/activities.js'
import { Failure } from '../../src/core/failure.js'
import { finishReplay, replayLetters } from '../../src/engine/replay.js'
import type { Deps } from '../deps.js'
import { running, workflowId } from './context.js'

/** What a replay of dead letters asks of the worker. No vendor is called. */
export function replayActivities(deps: Deps): ReplayActivities {
  const { warehouse, clock, redact } = deps
  return {
    replayLetters: ({ sync, definition: hash, stream: name, run, filter, after, limit }) =>
      running(redact, async ({ signal, report }) => {
        const definition = await warehouse.definitions.get(hash)
        await warehouse.runs.start({ run, sync, definition: hash, kind: 'replay', workflow: workflowId() })
        const { source } = await deps.connect(definition, signal)
        const stream = source.streams[name]
        if (!stream) throw new Failure('config', `${definition.connection.type} has no stream ${name}.`, { sync, stream: name })
        const onProgress = (tried: number) => report({ tried })
        const part = { run, filter, ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) }
        return replayLetters({ warehouse, clock, definition, stream, signal, onProgress, ...part })
      }),
    finishReplay: (input) => running(redact, () => finishReplay(warehouse, input)),
  }
}
