import { asFailure, Failure } from '../../src/core/failure.js'
import { resumeProblem } from '../../src/core/pause.js'
import { who } from '../confirm.js'
import { ofName } from '../deploy/change.js'
import { setPause } from '../deploy/pause.js'
import type { Printer } from '../print.js'
import { answerText, resumeRuns } from '../runs.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

type Options = Common & { by?: string }

/** What was paused starts again, and what runs goes on. */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const of = ofName(args[0]!)
    const { by = who() ?? 'unknown' } = options
    const problem = resumeProblem({ by }, { by, reason: '', at: '' })
    if (problem !== undefined) throw new Failure('config', problem)
    if (of.sync === undefined) {
      const { audience } = of
      await setPause(session, of, { isPaused: false, by })
      printer.json({ audience, isPaused: false, by })
      printer.line(`audience/${audience} goes on: it is pushed by itself again.`)
      return 0
    }
    const { sync } = of
    const unscheduled = await setPause(session, of, { isPaused: false, by }).then(
      () => undefined,
      (error: unknown) => asFailure(error),
    )
    if (unscheduled && unscheduled.reason !== 'config') throw unscheduled
    const runs = await resumeRuns(session, sync, { by })
    if (unscheduled && runs.length === 0) throw unscheduled
    printer.json({ sync, isPaused: false, by, runs })
    if (!unscheduled) printer.line(`sync/${sync} goes on: it is started again.`)
    for (const one of runs) printer.line(answerText(one, 'goes on'))
    return 0
  } finally {
    await session.close()
  }
}
