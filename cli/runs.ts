/** Runs as people name them, and what is done to those that are under way. */
import { WorkflowNotFoundError } from '@temporalio/client'
import { Failure } from '../src/core/failure.js'
import type { Pause, PauseRequest, ResumeRequest } from '../src/core/pause.js'
import { syncId } from '../src/core/run-start.js'
import type { RunReport } from '../src/warehouse/contract/reports.js'
import type { Session } from './session.js'
import { refusalOf } from './workflow-failure.js'

/** So much of a run's id must be given. */
const shortest = 4

/**
 * The run that a person means: by its id, the beginning of that, or the name of a sync, which means its newest run.
 * @throws Failure `config` where there is none, or more than one
 */
export async function findRun({ warehouse }: Session, word: string): Promise<RunReport> {
  const [newest] = await warehouse.reports.runs({ sync: word, limit: 1 })
  if (newest) return newest
  const found = word.length < shortest ? [] : await warehouse.reports.runs({ run: word, limit: 2 })
  if (found.length === 1) return found[0]!
  const problem =
    found.length > 1 ? `More than one run begins with "${word}"` : `There is no run "${word}", and no sync of that name has run`
  throw new Failure('config', `${problem}. See them with: weir runs`)
}

/** A run that Temporal says is under way. */
export interface UnderWay {
  sync: string
  run: string
  workflow: string
}

/** Runs of a sync that are under way: Temporal says so, whatever their rows say. Replays and backfills have commands of their own. */
export async function runsUnderWay(session: Session, sync: string): Promise<UnderWay[]> {
  const open = (await session.warehouse.reports.runs({ sync, isOpen: true })).filter(({ kind }) => kind !== 'replay' && kind !== 'backfill')
  // One that has just been started has no row yet.
  const ids = new Set([syncId(sync), ...open.flatMap(({ workflow }) => workflow ?? [])])
  const found = await Promise.all(
    [...ids].map(async (workflow) => {
      const run = await runningRun(session, workflow)
      return run === undefined ? [] : [{ sync, run, workflow }]
    }),
  )
  return found.flat()
}

/** The run of a workflow that is under way, also where Temporal itself has paused it; undefined where none is. */
export async function runningRun({ temporal }: Pick<Session, 'temporal'>, workflow: string): Promise<string | undefined> {
  try {
    const { status, runId } = await temporal.workflow.getHandle(workflow).describe()
    return status.name === 'RUNNING' || status.name === 'PAUSED' ? runId : undefined
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

/** What became of a request to a run. */
export interface RunAnswer extends UnderWay {
  done: boolean
  /** Why not. */
  message?: string
}

/** @param done said of a run that did as it was asked */
export const answerText = ({ run, done: isDone, message }: RunAnswer, done: string): string => `run ${run}: ${isDone ? done : message}`

/** Pauses the runs of a sync that are under way; none is no failure. A schedule is not touched. */
export const pauseRuns = (session: Session, sync: string, request: PauseRequest): Promise<RunAnswer[]> =>
  update<Pause, PauseRequest>(session, sync, 'pause', request)

/** Lets the paused runs of a sync go on. */
export const resumeRuns = (session: Session, sync: string, request: ResumeRequest): Promise<RunAnswer[]> =>
  update<ResumeRequest, ResumeRequest>(session, sync, 'resume', request)

async function update<R, A>(session: Session, sync: string, name: 'pause' | 'resume', argument: A): Promise<RunAnswer[]> {
  const answers: RunAnswer[] = []
  for (const one of await runsUnderWay(session, sync)) {
    try {
      await session.temporal.workflow.getHandle(one.workflow, one.run).executeUpdate<R, [A]>(name, { args: [argument] })
      answers.push({ ...one, done: true })
    } catch (error) {
      // The run's own word: paused already, ended meanwhile.
      const refusal = refusalOf(error, { sync })
      if (!(refusal instanceof Failure)) throw error
      answers.push({ ...one, done: false, message: refusal.message })
    }
  }
  return answers
}
