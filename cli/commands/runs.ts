import { ago, duration, type Printer, statusText } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../weir.js'

export async function run({
  options,
  printer,
  args,
}: {
  options: Common & { limit: number }
  printer: Printer
  args: string[]
}): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const [sync] = args
    const runs = await session.warehouse.runs.list({ limit: options.limit, ...(sync ? { sync } : {}) })
    printer.json({ runs })
    if (runs.length === 0) printer.line('No run yet. Start one: weir sync')
    else {
      printer.table(
        ['run', 'sync', 'kind', 'status', 'started', 'took', 'read', 'loaded', 'unchanged', 'dead letters', 'requests'],
        runs.map((row) => [
          row.run,
          row.sync,
          row.kind,
          statusText(row.status, row.deadLetters),
          ago(row.startedAt),
          row.finishedAt ? duration(Date.parse(row.finishedAt) - Date.parse(row.startedAt)) : 'running',
          row.read,
          row.loaded,
          row.unchanged,
          row.deadLetters,
          row.requests,
        ]),
      )
    }
    for (const { run, warnings } of runs) for (const warning of warnings) printer.line(`${run}: ${warning}`)
    for (const { run, failure } of runs) if (failure) printer.line(`${run}: ${failure.message} [${failure.reason}]`)
    return 0
  } finally {
    await session.close()
  }
}
