import { ensureWatch } from '../deploy/watch-schedule.js'
import { type Printer, tableText } from '../print.js'
import { openDev, queue } from '../session.js'
import { untilSignal } from '../until-signal.js'
import type { Common } from '../usage/command.js'
import { changesText, notApplied } from './plan.js'

/** The stack in the foreground: whatever of it dies is started again; Ctrl-C stops all of it. */
export async function run({ options, printer }: { options: Common; printer: Printer }): Promise<number> {
  const { stack, session } = await openDev(options, printer)
  try {
    const { info } = stack
    await ensureWatch(session.temporal, { queue: queue() })
    const metricsAddress = process.env.WEIR_METRICS_ADDRESS
    printer.json(info)
    printer.line(
      tableText(
        ['Weir is running', ''],
        [
          ['status page', info.statusUrl || 'off'],
          ['Temporal UI', info.temporalUiUrl],
          ['Temporal', info.temporalAddress],
          ['PostgreSQL', info.warehouseUrl],
          ...(metricsAddress ? [['metrics', `http://${metricsAddress}/metrics`]] : []),
          ['logs', `${session.projectDir}/.weir/*.log`],
        ],
      ),
    )
    printer.line('\nIn another terminal: weir sync, weir status, weir runs. Ctrl-C stops everything.')
    const changes = await notApplied(session)
    if (changes > 0)
      printer.line(
        `${changesText(changes)} of the project file ${changes === 1 ? 'is' : 'are'} not applied: weir plan shows what, weir apply does it.`,
      )
    await session.close()
    await untilSignal()
    printer.note('Stopping: running slices commit what they hold.')
  } finally {
    await stack.stop()
  }
  return 0
}
