import { asFailure, Failure } from '../../src/core/failure.js'
import { pauseProblem } from '../../src/core/pause.js'
import { who } from '../confirm.js'
import { ofName } from '../deploy/change.js'
import { setPause } from '../deploy/pause.js'
import type { Printer } from '../print.js'
import { answerText, pauseRuns } from '../runs.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

type Options = Common & { reason: string; by?: string }

/** Nothing starts the sync, or pushes the audience, until `weir resume`, `weir apply` leaves it so; and what runs begins no new slice. */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const of = ofName(args[0]!)
    const { reason, by = who() ?? 'unknown' } = options
    const problem = pauseProblem({ by, reason }, undefined)
    if (problem !== undefined) throw new Failure('config', problem)
    if (of.sync === undefined) {
      const { audience } = of
      await setPause(session, of, { isPaused: true, reason, by })
      printer.json({ audience, isPaused: true, reason, by })
      printer.line(`audience/${audience} is paused: nothing pushes it by itself any more. A push under way goes on.`)
      printer.line(`To go on: weir resume audience/${audience}`)
      return 0
    }
    const { sync } = of
    // First what starts runs: none begins meanwhile.
    const unscheduled = await setPause(session, of, { isPaused: true, reason, by }).then(
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
