/** One load with its faults: each comes when the one before is overcome, and the clock runs from the fault to the next commit. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../cli/dev/processes.js'
import type { Command } from './command.js'
import { dice } from './dice.js'
import { type Load, sync } from './modes.js'
import type { Planned } from './plan.js'
import type { World } from './world.js'

export interface Outcome {
  kind: string
  load: Load
  /** Not injected: what was aimed at did not come by. */
  state: 'survived' | 'stuck' | 'failed' | 'not injected'
  /** From the fault (from its end, where it lasts) to the next commit. */
  progressMs?: number
  detail?: string
}

export interface LoadResult {
  outcomes: Outcome[]
  problems: string[]
  startedAt: Date
  /** Times that the command was started: once, and once more after each fault that must end a run. */
  starts: number
  refused: number
}

export interface LoadOptions {
  world: World
  load: Load
  plan: readonly Planned[]
  seed: number
  isFull: boolean
  /** Records that the vendor will show in this load. */
  records: number
  /** Called after each fault, with the share of them that is through. */
  onFault?: (share: number) => void
  log: (line: string) => void
}

const quickShare = 0.6
const stuckAfterMs = 90_000
/** Beside what the vendor takes, which is made slow by us. */
const endsWithinMs = 180_000

export async function runLoad({ world, load, plan, seed, isFull, records, onFault, log }: LoadOptions): Promise<LoadResult> {
  const { vendor } = world
  const result: LoadResult = { outcomes: [], problems: [], startedAt: new Date(), starts: 0, refused: 0 }
  const start = () => {
    result.starts++
    return world.weir(['sync', sync, '--json'])
  }
  let command: Command = { ended: Promise.resolve({ code: 0, stdout: '', stderr: '' }), hasEnded: true }
  const isOver = async () => command.hasEnded && !(await isRunning(world))
  /** Waits for a commit after `before`, or for the run's end. */
  const progressed = (before: string) =>
    until(async () => ((await committed(world)) !== before || (await isOver()) ? true : undefined), stuckAfterMs, 50)

  /** Waits for the command and for its run, which may outlive it. */
  const end = async (): Promise<'ended' | 'stuck'> => {
    const isDone = await until(async () => ((await isOver()) ? true : undefined), endsWithinMs + vendor.slowMs(records), 200)
    return isDone ? 'ended' : 'stuck'
  }
  const judgeCommand = async (mayFail: boolean) => {
    const { code, stderr } = await command.ended
    const isGood = code === 0 || code === 3
    const said = stderr.trim().split('\n').slice(-12).join(' | ').slice(-900)
    const run = await lastRun(world)
    if (!isGood && run?.status.startsWith('completed'))
      result.problems.push(`weir sync ended with ${code} while its run went on and completed: ${said}`)
    else if (!isGood && !mayFail) result.problems.push(`weir sync ended with ${code}: ${said}; run: ${JSON.stringify(run)}`)
  }

  vendor.begin()
  // A part of the records comes slowly, so that the load lasts as long as its faults.
  const allow = (done: number) => vendor.allow(plan.length === 0 ? Number.POSITIVE_INFINITY : (quickShare * records * done) / plan.length)
  allow(0.5)
  let before = await committed(world)
  command = start()
  if (plan.length > 0) await progressed(before)
  let isStuck = false
  for (const [at, { fault, afterMs, index }] of plan.entries()) {
    const outcome: Outcome = { kind: fault.name, load, state: 'survived' }
    result.outcomes.push(outcome)
    if (isStuck || (await isOver())) {
      Object.assign(outcome, { state: 'not injected', detail: isStuck ? 'the load was stuck' : 'the load had ended' })
      continue
    }
    await sleep(afterMs)
    const startedAt = performance.now()
    let lastedMs = 0
    try {
      const missed = await fault.inject({
        world,
        random: dice(seed, world.mode.name, 'fault', index),
        isFull,
        note: () => {
          result.refused++
        },
        endsRun: async (reason, mend) => {
          const how = await end()
          await judgeCommand(true)
          const run = await lastRun(world)
          if (how === 'stuck' || run?.status !== 'failed' || run.reason !== reason)
            result.problems.push(`${fault.name}: the run should have failed with reason ${reason}; it is ${JSON.stringify(run)}`)
          await mend()
          log(`${fault.name} ended the run, as it must (${run?.reason}); the sync is started again`)
          command = start()
        },
      })
      if (missed !== undefined) Object.assign(outcome, { state: 'not injected', detail: missed })
      lastedMs = fault.lasts ? performance.now() - startedAt : 0
      // What was committed before the fault struck, or while it lasted, is not what comes after it.
      before = await committed(world)
    } catch (error) {
      Object.assign(outcome, { state: 'failed', detail: (error as Error).message })
      result.problems.push(`${fault.name} could not be injected: ${(error as Error).stack}`)
    }
    allow(at + 1.5)
    const hasProgressed = await progressed(before)
    if (outcome.state === 'survived') {
      outcome.progressMs = performance.now() - startedAt - lastedMs
      if (!hasProgressed) {
        isStuck = true
        Object.assign(outcome, { state: 'stuck', detail: await describe(world) })
        result.problems.push(
          `stuck after ${fault.name} (fault ${index} of ${load} load): no commit for ${stuckAfterMs / 1000} s; ${outcome.detail}`,
        )
      }
    }
    log(
      `${load} load, ${at + 1} of ${plan.length}: ${fault.name}: ${outcome.state} ${outcome.progressMs ? `${(outcome.progressMs / 1000).toFixed(1)} s` : (outcome.detail ?? '')}`,
    )
    onFault?.((at + 1) / plan.length)
  }
  vendor.allow(Number.POSITIVE_INFINITY)
  if ((await end()) === 'stuck') result.problems.push(`the ${load} load did not end: ${await describe(world)}`)
  else await judgeCommand(false)
  return result
}

/** Something that changes with every commit of a batch, and with the end of a stream. */
async function committed({ query }: World): Promise<string> {
  const [row] = await query<{ is: string }>(
    `SELECT concat_ws(' ', (SELECT concat_ws('/', sum(read), count(*) FILTER (WHERE state = 'finished')) FROM _weir.checkpoints WHERE sync = $1),
       (SELECT concat_ws('/', count(*), count(*) FILTER (WHERE planned), count(finished_at)) FROM _weir.stream_runs WHERE sync = $1)) AS is`,
    [sync],
  )
  return row!.is
}

async function isRunning({ query }: World): Promise<boolean> {
  const [row] = await query<{ running: boolean }>(
    'SELECT EXISTS (SELECT FROM _weir.runs WHERE sync = $1 AND finished_at IS NULL) AS running',
    [sync],
  )
  return row!.running
}

async function lastRun({ query, mode }: World): Promise<{ status: string; reason: string | null; message: string | null } | undefined> {
  const [row] = await query<{ status: string; reason: string | null; message: string | null }>(
    `SELECT status, failure_reason AS reason, left(failure_message, 500) AS message FROM _weir.stream_runs WHERE sync = $1 AND stream = $2
      ORDER BY started_at DESC LIMIT 1`,
    [sync, mode.stream],
  )
  return row
}

/** Where a load stands that does not move. */
async function describe({ query }: World): Promise<string> {
  const checkpoints = await query(
    'SELECT slice, state, epoch, owner, idle_claims, last_failure, updated_at FROM _weir.checkpoints WHERE sync = $1',
    [sync],
  )
  const runs = await query(
    'SELECT status, failure_reason, failure_message FROM _weir.stream_runs WHERE sync = $1 AND finished_at IS NULL',
    [sync],
  )
  const sessions = await query(
    `SELECT state, wait_event, left(query, 80) AS query FROM pg_stat_activity WHERE application_name = 'weir' AND state <> 'idle'`,
  )
  return JSON.stringify({ checkpoints, runs, sessions })
}
