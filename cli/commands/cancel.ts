import { WorkflowFailedError } from '@temporalio/client'
import { Failure } from '../../src/core/failure.js'
import { patiently } from '../patience.js'
import { type Printer, statusText } from '../print.js'
import { findRun, runsUnderWay, type UnderWay } from '../runs.js'
import { openSession, type Session } from '../session.js'
import type { Common } from '../usage/command.js'

/** Asks runs to stop and waits until they have: slices under way commit what they hold, what is loaded stays. */
export async function run({ options, printer, args }: { options: Common; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const runs = await chosen(session, args[0]!)
    for (const { workflow, run } of runs) await session.temporal.workflow.getHandle(workflow, run).cancel()
    printer.note(`Cancelling ${runs.map(({ run }) => run).join(', ')}; what is loaded stays.`)
    const ended = []
    for (const one of runs) {
      await patiently(() => endOf(session, one), printer)
      const [row] = await session.warehouse.reports.runs({ run: one.run, limit: 1 })
      ended.push({ ...one, status: row?.status ?? 'cancelled' })
      printer.line(`${one.run} (${one.sync}): ${statusText(row?.status ?? 'cancelled', row?.deadLetters)}`)
    }
    printer.json({ runs: ended })
    printer.line(`\nThe next run goes on from here: weir sync ${runs[0]!.sync}`)
    return 0
  } finally {
    await session.close()
  }
}

async function chosen(session: Session, word: string): Promise<UnderWay[]> {
  const isSync = session.manifest.syncs[word] !== undefined
  const named = isSync ? undefined : await findRun(session, word)
  const sync = named?.sync ?? word
  if (named?.backfill !== undefined)
    throw new Failure('config', `That run is a backfill's: weir backfill cancel ${named.backfill}`, { sync })
  const underWay = await runsUnderWay(session, sync)
  const runs = isSync ? underWay : underWay.filter(({ run }) => run.startsWith(word))
  if (runs.length === 0) throw new Failure('config', `Nothing of ${word} is under way. See what was: weir runs ${sync}`, { sync })
  return runs
}

async function endOf({ temporal }: Session, { workflow, run }: UnderWay): Promise<void> {
  try {
    await temporal.workflow.getHandle(workflow, run, { followRuns: false }).result()
  } catch (error) {
    // However it ended: its row says it.
    if (!(error instanceof WorkflowFailedError)) throw error
  }
}
