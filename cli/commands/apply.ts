import { Failure } from '../../src/core/failure.js'
import { isSure, who } from '../confirm.js'
import { apply } from '../deploy/apply.js'
import { type Allowance, allowances, type Change, linesOf } from '../deploy/change.js'
import { diff } from '../deploy/diff.js'
import { readPlan, refuseMoved } from '../deploy/plan-file.js'
import { ensureWatch } from '../deploy/watch-schedule.js'
import { type Wanted, wantedOf, worldOf } from '../deploy/world.js'
import type { Printer } from '../print.js'
import { openSession, queue, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { changesText } from './plan.js'
import { startSync } from './sync.js'

interface ApplyOptions extends Common {
  yes?: boolean
  prune?: boolean
  allow?: Allowance[]
  by?: string
}

/** Makes what is deployed equal to the project file, or to a saved plan. */
export async function run({ options, printer, args }: { options: ApplyOptions; printer: Printer; args: string[] }): Promise<number> {
  const saved = args[0] === undefined ? undefined : await readPlan(args[0])
  const session = await openSession(options, printer)
  try {
    const own = wantedOf(session.manifest)
    const wanted = saved?.wanted ?? own
    if (wanted.project !== own.project || wanted.environment !== own.environment)
      throw new Failure('config', 'The plan was made for another project or environment than is selected here (--config, --env).')
    const world = await worldOf(session, wanted)
    if (saved) refuseMoved(saved, world)
    await ensureWatch(session.temporal, { queue: queue() })
    const now = new Date()
    const { changes, notes } = saved ? { ...saved, notes: [] } : diff(wanted, world, { prune: options.prune ?? false, now })
    for (const note of notes) printer.note(note)
    if (changes.length === 0) {
      printer.json({ applied: [] })
      printer.line('Nothing to do: what is deployed is what the project file says.')
      return 0
    }
    await agree(changes, options, printer)
    await apply({ session, wanted, world, changes, by: options.by ?? who() ?? 'unknown', now })
    const runs = await switchModes(session, wanted, changes, printer)
    printer.json({ applied: changes, runs })
    printer.line(`Applied: ${changesText(changes.length)}.`)
    if (session.ownsStack) printer.note('Schedules fire while `weir dev` runs here.')
    return 0
  } finally {
    await session.close()
  }
}

/** The plan as a whole, and by name whatever may lose something. @throws Failure `config` without a yes to all of it */
async function agree(changes: readonly Change[], options: ApplyOptions, printer: Printer): Promise<void> {
  const about = changes.flatMap(linesOf).join('\n')
  if (options.yes) printer.note(about)
  else await sure(`${changesText(changes.length)}: apply?`, '--yes', about)
  const words = new Set(changes.flatMap(({ needs }) => (needs ? [needs] : [])))
  for (const word of words) if (!options.allow?.includes(word)) await sure(`Allow it: ${allowances[word]}?`, `--allow ${word}`)
}

async function sure(question: string, option: string, about?: string): Promise<void> {
  if (!(await isSure(question, option, about))) throw new Failure('config', 'Nothing was applied.')
}

/** Tables change their mode in a run of their own, so that a row says which run did it. */
async function switchModes(
  session: Session,
  wanted: Wanted,
  changes: readonly Change[],
  printer: Printer,
): Promise<{ sync: string; run: string }[]> {
  const runs: { sync: string; run: string }[] = []
  for (const [name, { definition }] of Object.entries(wanted.syncs)) {
    const stream = changes.flatMap((one) => (one.sync === name && one.needs === 'mode' && one.stream ? [one.stream] : []))
    if (stream.length === 0) continue
    const { sync, run } = await startSync(session, name, { stream, accept: ['mode'] }, definition)
    printer.note(`sync/${sync}: run ${run} switches ${stream.join(', ')}`)
    runs.push({ sync, run })
  }
  return runs
}
