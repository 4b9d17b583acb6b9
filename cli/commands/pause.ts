import { asFailure, Failure } from '../../src/core/failure.js'
import { pauseProblem } from '../../src/core/pause.js'
import { who } from '../confirm.js'
import { setPause } from '../deploy/pause.js'
import type { Printer } from '../print.js'
import { answerText, pauseRuns } from '../runs.js'
import { openSession } from '../session.js'
import type { Common } from '../weir.js'

type Options = Common & { reason: string; by?: string }

/** Nothing starts the sync until `weir resume`, `weir apply` leaves it so; and what runs begins no new slice. */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const sync = args[0]!
    const { reason, by = who() ?? 'unknown' } = options
    const problem = pauseProblem({ by, reason }, undefined)
    if (problem !== undefined) throw new Failure('config', problem, { sync })
    // First what starts runs: none begins meanwhile.
    const unscheduled = await setPause(session, sync, { isPaused: true, reason, by }).then(
      () => undefined,
      (error: unknown) => asFailure(error),
    )
    if (unscheduled && unscheduled.reason !== 'config') throw unscheduled
    const runs = await pauseRuns(session, sync, { by, reason })
    if (unscheduled && runs.length === 0) throw unscheduled
    printer.json({ sync, isPaused: unscheduled === undefined, reason, by, runs })
    printer.line(
      unscheduled ? `Nothing starts sync/${sync}: only what runs is paused.` : `sync/${sync} is paused: nothing starts it any more.`,
    )
    for (const one of runs) printer.line(answerText(one, 'paused: slices under way are finished, no new one starts'))
    printer.line(`To go on: weir resume ${sync}`)
    return 0
  } finally {
    await session.close()
  }
}
