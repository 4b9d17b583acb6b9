import { Failure } from '../../src/core/failure.js'
import type { RebuildActivities, RebuildStep } from '../../src/core/rebuild.js'
import { finishRebuild, rebuildRows, startRebuild } from '../../src/engine/rebuild-table.js'
import type { Deps } from '../deps.js'
import { running } from './context.js'
import { openStream } from './open-stream.js'

/** What the rebuild of a table asks of the worker; the vendor is never called. */
export function rebuildActivities(deps: Deps): RebuildActivities {
  const { warehouse, clock, redact } = deps

  const open = async ({ definition: hash, stream: name, run, dryRun }: RebuildStep, signal: AbortSignal) => {
    const { definition, stream } = await openStream(deps, hash, name, signal)
    if (!definition.streams[name])
      throw new Failure('config', `Sync ${definition.sync} does not read ${name}; it reads ${Object.keys(definition.streams).join(', ')}.`)
    return { warehouse, definition, stream, run, isDryRun: dryRun ?? false }
  }

  return {
    startRebuild: (input) =>
      running(redact, async ({ signal }) => {
        await startRebuild({ ...(await open(input, signal)), hash: input.definition })
        return { timing: deps.timing }
      }),
    rebuildRows: (input) =>
      running(redact, async ({ signal, report }) =>
        rebuildRows({ ...(await open(input, signal)), clock, signal, onProgress: (counts) => report({ ...counts }) }),
      ),
    finishRebuild: ({ run, failure, cancelled }) => running(redact, () => finishRebuild({ warehouse, run }, { failure, cancelled })),
  }
}
