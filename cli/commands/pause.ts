import { who } from '../confirm.js'
import { setPause } from '../deploy/pause.js'
import type { Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../weir.js'

type Options = Common & { reason: string; by?: string }

/** Nothing starts the sync until `weir resume`; `weir apply` leaves it so. */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const sync = args[0]!
    const { reason, by = who() ?? 'unknown' } = options
    await setPause(session, sync, { isPaused: true, reason, by })
    printer.json({ sync, isPaused: true, reason, by })
    printer.line(`sync/${sync} is paused. To go on: weir resume ${sync}`)
    return 0
  } finally {
    await session.close()
  }
}
