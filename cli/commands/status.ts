import type { RunReport } from '../../src/warehouse/contract/reports.js'
import { audienceStandings, printAudiences } from '../audience-status.js'
import { ago, duration, failureLine, number, type Printer, pauseLine, standing } from '../print.js'
import { checksText, isBad, printChecks } from '../quality.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'
import { alertsText, standingAlerts } from './alerts.js'
import { pendingText } from './changes.js'

/** Every sync of the project and each of its streams: the last run, how far it is complete, what waits; and every audience. */
export async function run({ options, printer }: { options: Common; printer: Printer }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const { manifest, warehouse } = session
    const [known, checks, alerts, underWay, audiences] = await Promise.all([
      warehouse.reports.statuses(),
      warehouse.quality.latest(),
      standingAlerts(session),
      warehouse.reports.runs({ isOpen: true }),
      audienceStandings(session),
    ])
    const syncs = Object.values(manifest.syncs).map((definition) => ({
      sync: definition.sync,
      connection: definition.connection.name,
      schema: definition.schema,
      underWay: underWay.filter(({ sync }) => sync === definition.sync),
      streams: Object.keys(definition.streams).map((stream) => {
        const row = known.find((one) => one.sync === definition.sync && one.stream === stream)
        return {
          stream,
          status: row === undefined ? 'never run' : standing(row),
          run: row?.run,
          lastRun: row?.finishedAt ?? row?.startedAt,
          upTo: row?.completeUpTo,
          openSlices: row?.openSlices ?? 0,
          openDeadLetters: row?.openDeadLetters ?? 0,
          wait: row?.wait,
          failure: row?.failure && { ...row.failure, acts: row.acts, next: row.next },
          quality: checks.filter((one) => one.sync === definition.sync && one.stream === stream),
        }
      }),
    }))
    printer.json({ syncs, audiences, alerts, temporalUi: session.uiUrl })
    for (const { sync, schema, streams, underWay } of syncs) {
      printer.line(`${sync} → schema ${schema}`)
      for (const run of underWay) printer.line(underWayText(run))
      printer.table(
        ['stream', 'last run', 'when', 'complete up to', 'open slices', 'dead letters', 'checks'],
        streams.map((one) => [
          one.stream,
          one.status,
          one.lastRun ? ago(one.lastRun) : '',
          one.upTo ?? '',
          one.openSlices,
          one.openDeadLetters,
          checksText(one.quality),
        ]),
      )
      for (const { stream, failure } of streams) if (failure) printer.line(`${stream}: ${failureLine(failure, failure)}`)
      const checked = streams.flatMap(({ quality }) => quality)
      if (checked.some(isBad)) printChecks(checked, printer)
      printer.line()
    }
    printAudiences(audiences, printer)
    const open = known.reduce((sum, one) => sum + one.openDeadLetters, 0)
    if (open > 0) printer.line(`${number(open)} open dead letters; look at them with: weir dlq list`)
    const pending = await pendingText(session, Object.keys(manifest.syncs))
    if (pending !== undefined) printer.line(pending)
    const told = alertsText(alerts)
    if (told !== undefined) printer.line(told)
    if (session.uiUrl) printer.line(`Runs in the Temporal UI: ${session.uiUrl}`)
    return 0
  } finally {
    await session.close()
  }
}

function underWayText({ run, status, streams, streamsDone, read, seconds, pause }: RunReport): string {
  const how = pause ? pauseLine(pause) : status
  return `run ${run}: ${how}, ${streamsDone} of ${streams} streams done, ${number(read)} records read in ${duration(seconds * 1_000)}`
}
