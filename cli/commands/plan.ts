import { linesOf } from '../deploy/change.js'
import { diff } from '../deploy/diff.js'
import { savePlan } from '../deploy/plan-file.js'
import { standOf, wantedOf, worldOf } from '../deploy/world.js'
import type { Printer } from '../print.js'
import { openSession, type Session } from '../session.js'
import type { Common } from '../usage/command.js'

export interface PlanOptions extends Common {
  prune?: boolean
  out?: string
}

/** What `weir apply` would do, and what follows from it. Changes nothing. */
export async function run({ options, printer }: { options: PlanOptions; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const wanted = wantedOf(session.manifest)
    const world = await worldOf(session, wanted)
    const now = new Date()
    const prune = options.prune ?? false
    const plan = diff(wanted, world, { prune, now })
    if (options.out !== undefined) {
      await savePlan(options.out, { madeAt: now.toISOString(), prune, wanted, stand: standOf(world), changes: plan.changes })
      printer.note(`Saved. To do just this: weir apply ${options.out}`)
    }
    printer.json({ changes: plan.changes })
    for (const change of plan.changes) for (const line of linesOf(change)) printer.line(line)
    for (const note of [...session.manifest.notes, ...plan.notes]) printer.note(note)
    if (plan.changes.length === 0) printer.line('Nothing to do: what is deployed is what the project file says.')
    else if (options.out === undefined)
      printer.line(`\n${changesText(plan.changes.length)}. To make it so: weir apply${prune ? ' --prune' : ''}`)
    return 0
  } finally {
    await session.close()
  }
}

export const changesText = (count: number): string => `${count} ${count === 1 ? 'change' : 'changes'}`

/** How many changes of the project file are not applied. */
export async function notApplied(session: Session): Promise<number> {
  const wanted = wantedOf(session.manifest)
  return diff(wanted, await worldOf(session, wanted), { prune: false, now: new Date() }).changes.length
}
