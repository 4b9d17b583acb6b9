import { ApplicationFailure } from '@temporalio/common'
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow'
import type { RunStatus } from '../src/core/activities.js'
import {
  type Pause,
  type PauseActivities,
  type PauseNote,
  type PauseRequest,
  pauseProblem,
  type ResumeRequest,
  resumeProblem,
} from '../src/core/pause.js'
import { policies } from './policies.js'
import { show } from './status.js'

/** Plain JSON in and out, so that both can be sent from the Temporal UI. */
export const pauseUpdate = defineUpdate<Pause, [PauseRequest]>('pause')
export const resumeUpdate = defineUpdate<{ by: string }, [ResumeRequest]>('resume')
/** What a run tells its streams: the pause that is in force now, or none. The run has written it down. */
export const pauseOfRun = defineSignal<[Pause | null]>('pauseOfRun')

export interface Pausing {
  /** The pause in force. */
  readonly now: Pause | undefined
  readonly status: RunStatus
  /** Passes at once, or when the pause has ended. */
  gate: () => Promise<void>
  /** From now on nothing is left that could be paused. Resolves when what was asked before is done. */
  close: () => Promise<void>
}

export interface PauseOptions {
  /** Told when a pause begins or ends: for what people see, and for whom else it concerns. */
  changed: (now: Pause | undefined) => Promise<void>
  /** The status when nobody has paused it. */
  without?: () => RunStatus
}

/** What is written down of a pause, beside the pause itself. */
type Subject = Omit<PauseNote, 'pause'>

/**
 * Takes pauses by Update (and, of a stream, from its run). To be called before a workflow's first `await`: an Update that comes with the
 * first task finds its handler.
 * @param initial what an earlier execution was paused by, before it was continued as this one
 */
export function takePauses(subject: Subject, initial: Pause | undefined, { changed, without = () => 'running' }: PauseOptions): Pausing {
  const { notePause, noteResume } = proxyActivities<PauseActivities>(policies().note)
  const { run, stream } = subject
  const what = stream === undefined ? 'this run: slices under way are finished, no new one starts' : 'this stream alone'
  let now = initial
  /** One after the other: what is written down last is what is so. */
  let noted = Promise.resolve()
  let isClosing = false
  const status = () => (now === undefined ? without() : 'paused')

  const become = async (next: Pause | undefined, note: () => Promise<void> = async () => {}): Promise<void> => {
    now = next
    show(status())
    const told = changed(next)
    // A note that failed is its own Update's failure; the next one is written all the same.
    noted = noted.catch(() => {}).then(() => CancellationScope.nonCancellable(note))
    await Promise.all([told, noted])
  }

  setHandler(
    pauseUpdate,
    async ({ by, reason }) => {
      const pause = { by: by.trim(), reason: reason.trim(), at: new Date().toISOString() }
      await become(pause, () => notePause.executeWithOptions({ summary: `paused by ${pause.by}` }, [{ ...subject, pause }]))
      return pause
    },
    {
      description: `Pauses ${what}. Argument: {"by": "your name", "reason": "why"}`,
      validator: (request) => refuse(isClosing ? 'It is ending: nothing is left to pause.' : pauseProblem(request, now)),
    },
  )
  setHandler(
    resumeUpdate,
    async ({ by }) => {
      const end = { run, ...(stream === undefined ? {} : { stream }), by: by.trim(), at: new Date().toISOString() }
      await become(undefined, () => noteResume.executeWithOptions({ summary: `resumed by ${end.by}` }, [end]))
      return { by: end.by }
    },
    { description: 'Goes on after a pause. Argument: {"by": "your name"}', validator: (request) => refuse(resumeProblem(request, now)) },
  )
  setHandler(pauseOfRun, (pause) => become(pause ?? undefined), {
    description: 'Of the run of this stream; to pause by hand, send Update pause.',
  })

  return {
    get now() {
      return now
    },
    get status() {
      return status()
    },
    async gate() {
      while (now !== undefined) await condition(() => now === undefined)
    },
    async close() {
      isClosing = true
      await CancellationScope.nonCancellable(() => condition(allHandlersFinished))
    },
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, 'config')
}
