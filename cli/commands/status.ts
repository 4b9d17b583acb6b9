import { ago, number, type Printer, standing } from '../print.js'
import { checksText, isBad, printChecks } from '../quality.js'
import { openSession } from '../session.js'
import type { Common } from '../weir.js'
import { alertsText, standingAlerts } from './alerts.js'
import { pendingText } from './changes.js'

/** Every sync of the project and each of its streams: the last run, how far it is complete, what waits. */
export async function run({ options, printer }: { options: Common; printer: Printer }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const { manifest, warehouse } = session
    const [latest, letters, checks, alerts] = await Promise.all([
      warehouse.runs.latest(),
      warehouse.letters.count({ status: 'open' }),
      warehouse.quality.latest(),
      standingAlerts(session),
    ])
    const syncs = await Promise.all(
      Object.values(manifest.syncs).map(async (definition) => {
        const { watermarks, checkpoints } = await warehouse.state.read({ sync: definition.sync })
        const streams = Object.keys(definition.streams).map((stream) => {
          const row = latest.find((one) => one.sync === definition.sync && one.stream === stream)
          const upTo = watermarks
            .filter((one) => one.stream === stream)
            .map((one) => one.watermark)
            .sort()[0]
          const open = checkpoints.filter((one) => one.stream === stream && one.state === 'open').length
          const deadLetters = letters
            .filter((one) => one.sync === definition.sync && one.stream === stream)
            .reduce((sum, one) => sum + one.letters, 0)
          return {
            stream,
            status: row === undefined ? 'never run' : standing(row),
            wait: row?.wait,
            lastRun: row?.finishedAt ?? row?.startedAt,
            upTo,
            openSlices: open,
            openDeadLetters: deadLetters,
            failure: row?.failure,
            quality: checks.filter((one) => one.sync === definition.sync && one.stream === stream),
          }
        })
        return { sync: definition.sync, connection: definition.connection.name, schema: definition.schema, streams }
      }),
    )
    printer.json({ syncs, alerts, temporalUi: session.uiUrl })
    for (const { sync, schema, streams } of syncs) {
      printer.line(`${sync} → schema ${schema}`)
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
      for (const { stream, failure } of streams) if (failure) printer.line(`${stream}: ${failure.message} [${failure.reason}]`)
      const checked = streams.flatMap(({ quality }) => quality)
      if (checked.some(isBad)) printChecks(checked, printer)
      printer.line()
    }
    const open = letters.reduce((sum, one) => sum + one.letters, 0)
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
