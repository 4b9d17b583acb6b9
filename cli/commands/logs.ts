import type { Printer } from '../print.js'
import { logOf } from '../run-log.js'
import { findRun } from '../runs.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

/** What happened in a run, line by line in the order of time. */
export async function run({ options, printer, args }: { options: Common; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const run = await findRun(session, args[0]!)
    const { lines, isWhole } = await logOf(session, run)
    printer.json({ run: run.run, sync: run.sync, status: run.status, isWhole, lines })
    for (const { at, stream, what, text } of lines)
      printer.line(`${at.slice(0, 19).replace('T', ' ')}  ${(stream ?? run.sync).padEnd(20)}  ${what.padEnd(12)}  ${text}`)
    if (!isWhole) printer.note('Temporal no longer keeps the history of this run: its slices, waits and retries are not shown.')
    if (run.finishedAt === undefined) printer.line(`\nIt is under way. Its counts so far: weir runs show ${run.run}`)
    return 0
  } finally {
    await session.close()
  }
}
