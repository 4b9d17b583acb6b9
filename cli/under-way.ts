import { Failure } from '../src/core/failure.js'
import { syncId } from '../src/core/run-start.js'
import type { Printer } from './print.js'
import { runningRun } from './runs.js'
import type { Session } from './session.js'

/** Workflows of a sync that run now: its run, and children that outlived theirs. */
async function underWay(session: Session, sync: string, streams: Iterable<string>): Promise<string[]> {
  const ids = [syncId(sync), ...[...new Set(streams)].map((stream) => `stream/${sync}/${stream}`)]
  const running = await Promise.all(ids.map(async (id) => ((await runningRun(session, id)) === undefined ? [] : [id])))
  return running.flat()
}

/**
 * State is not changed under a run, unless forced: then the run's attempts can no longer commit, and its streams fail.
 * @param streams those that the sync reads and those of which something is known
 */
export async function refuseUnderWay(
  session: Session,
  printer: Printer,
  { sync, streams, force }: { sync: string; streams: Iterable<string>; force: boolean },
): Promise<void> {
  const running = await underWay(session, sync, streams)
  if (running.length === 0) return
  if (!force)
    throw new Failure(
      'config',
      `A run of sync ${sync} is under way (${running.join(', ')}). Wait for its end or cancel it; with --force its attempts can no longer commit and its streams fail.`,
      { sync },
    )
  printer.note(`A run of sync ${sync} is under way; what it holds of these streams can no longer commit.`)
}
