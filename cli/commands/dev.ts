import { type Printer, tableText } from '../print.js'
import { openDev } from '../session.js'
import { untilSignal } from '../until-signal.js'
import type { Common } from '../weir.js'

/** The stack in the foreground: whatever of it dies is started again; Ctrl-C stops all of it. */
export async function run({ options, printer }: { options: Common; printer: Printer }): Promise<number> {
  const { stack, session } = await openDev(options, printer)
  try {
    const { info } = stack
    printer.json(info)
    printer.line(
      tableText(
        ['Weir is running', ''],
        [
          ['status page', info.statusUrl || 'off'],
          ['Temporal UI', info.temporalUiUrl],
          ['Temporal', info.temporalAddress],
          ['PostgreSQL', info.warehouseUrl],
          ['logs', `${session.projectDir}/.weir/*.log`],
        ],
      ),
    )
    printer.line('\nIn another terminal: weir sync, weir status, weir runs. Ctrl-C stops everything.')
    await session.close()
    await untilSignal()
    printer.note('Stopping: running slices commit what they hold.')
  } finally {
    await stack.stop()
  }
  return 0
}
