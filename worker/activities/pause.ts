import type { PauseActivities } from '../../src/core/pause.js'
import type { Deps } from '../deps.js'
import { running, workflowId } from './context.js'

/** What people did to a run is written down where SQL finds it. */
export function pauseActivities({ warehouse, redact }: Deps): PauseActivities {
  return {
    notePause: ({ run, sync, stream, pause, starts }) =>
      running(redact, async () => {
        if (starts) await warehouse.runs.start({ run, sync, ...starts, workflow: workflowId() })
        await warehouse.pauses.begin({ run, sync, stream }, pause)
      }),
    noteResume: ({ run, stream, by, at }) => running(redact, () => warehouse.pauses.end({ run, stream }, { by, at })),
  }
}
