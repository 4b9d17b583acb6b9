import type { RunReport, StreamReport } from '../../src/warehouse/contract/reports.js'
import { ago, duration, failureLine, number, type Printer, pauseLine, statusText, tableText, waitText } from '../print.js'
import { printChecks } from '../quality.js'
import { findRun } from '../runs.js'
import { openSession } from '../session.js'
import { workflowUrl } from '../ui-links.js'
import type { Common } from '../usage/command.js'

type Context = { options: Common & { limit: number }; printer: Printer; args: string[] }

/** The newest runs, of all syncs or of one. */
export async function list({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const [sync] = args
    const runs = await session.warehouse.reports.runs({ limit: options.limit, ...(sync ? { sync } : {}) })
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
          row.finishedAt ? duration(row.seconds * 1_000) : `${duration(row.seconds * 1_000)} so far`,
          row.read,
          row.loaded,
          row.unchanged,
          row.deadLetters,
          row.requests,
        ]),
      )
    }
    for (const row of runs) for (const line of troubles(row)) printer.line(`${row.run}: ${line}`)
    return 0
  } finally {
    await session.close()
  }
}

/** All that is known of one run: each stream, what it used and waited for, changes of tables, checks, failures. */
export async function show({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const run = await findRun(session, args[0]!)
    const [streams, changes, quality, pauses] = await Promise.all([
      session.warehouse.reports.streams(run.run),
      session.warehouse.changes.list({ sync: run.sync, run: run.run }),
      session.warehouse.quality.results(run.run),
      session.warehouse.pauses.list(run.run),
    ])
    const temporalUi = workflowUrl(session, run)
    printer.json({ run, streams, changes, quality, pauses, temporalUi })
    printer.line(`${run.sync}, run ${run.run} (${run.kind}): ${statusText(run.status, run.deadLetters)}`)
    printer.line(
      `started ${run.startedAt}, ${run.finishedAt ? `ended ${run.finishedAt}, took` : 'under way for'} ${duration(run.seconds * 1_000)}; definition ${run.definition.slice(0, 12)}`,
    )
    if (temporalUi) printer.line(`Temporal UI: ${temporalUi}`)
    for (const line of troubles(run)) printer.line(line)
    printer.line()
    printReports(streams, printer)
    for (const row of streams) for (const line of troubles(row)) printer.line(`${row.stream}: ${line}`)
    for (const { stream, change, field, status } of changes)
      printer.line(`schema: ${stream} ${[change, field].filter(Boolean).join(' ')} (${status})`)
    for (const { by, reason, at, resumedAt, stream } of pauses)
      printer.line(`paused${stream ? ` (${stream})` : ''} by ${by} at ${at}: ${reason}; ${resumedAt ? `until ${resumedAt}` : 'still'}`)
    printChecks(quality, printer)
    if (run.deadLetters > 0) printer.line(`\nThe dead letters: weir dlq list ${run.sync}`)
    printer.line(`\nIn the order of time: weir logs ${run.run}. Every row that it wrote: _weir_run_id = '${run.run}'.`)
    return 0
  } finally {
    await session.close()
  }
}

function printReports(streams: readonly StreamReport[], { line }: Printer): void {
  line(
    tableText(
      ['stream', 'status', 'read', 'loaded', 'unchanged', 'dead letters', 'deleted', 'time'],
      streams.map((one) => [
        one.stream,
        statusText(one.status, one.deadLetters),
        one.read,
        one.loaded,
        one.unchanged,
        one.deadLetters,
        one.deleted,
        duration(one.seconds * 1_000),
      ]),
    ),
  )
  line()
  line(
    tableText(
      ['stream', 'requests', 'by budget', 'MB', 'retries', 'waits', 'waited', 'vendor', 'warehouse', 'schema changes'],
      streams.map((one) => [
        one.stream,
        one.requests,
        Object.entries(one.spent)
          .map(([budget, count]) => `${budget} ${number(count)}`)
          .join(', '),
        (one.bytes / 1e6).toFixed(1),
        one.retries,
        one.waits,
        duration(one.waitedMs),
        duration(one.vendorMs),
        duration(one.warehouseMs),
        one.schemaChanges,
      ]),
    ),
  )
}

/** What stands in the way, if anything does: what, why, whose move, the next command. */
function troubles({ failure, wait, ...row }: RunReport | StreamReport): string[] {
  const pause = 'pause' in row ? row.pause : undefined
  return [
    ...(failure ? [failureLine(failure, row)] : []),
    ...(wait ? [`${waitText(wait)}; it goes on by itself`] : []),
    ...(pause && row.finishedAt === undefined ? [`${pauseLine(pause)}. To go on: weir resume ${row.sync}`] : []),
    ...('warnings' in row ? row.warnings : []),
  ]
}
