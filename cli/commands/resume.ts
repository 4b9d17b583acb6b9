import { who } from '../confirm.js'
import { setPause } from '../deploy/pause.js'
import type { Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../weir.js'

type Options = Common & { by?: string }

/** What was paused starts again. */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const sync = args[0]!
    const { by = who() ?? 'unknown' } = options
    await setPause(session, sync, { isPaused: false, by })
    printer.json({ sync, isPaused: false, by })
    printer.line(`sync/${sync} goes on.`)
    return 0
  } finally {
    await session.close()
  }
}
