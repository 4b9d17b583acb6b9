import type { MemberState } from '../../src/core/audience.js'
import { who } from '../confirm.js'
import { exit } from '../exit.js'
import { maskInline } from '../mask.js'
import { ago, number, type Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

interface MemberOptions extends Common {
  destination?: string
  state?: MemberState[]
  key?: string
  limit?: number
  reason?: string
  dryRun?: boolean
  by?: string
}
interface Context {
  options: MemberOptions
  printer: Printer
  args: string[]
}

/** Who is held, and how each stands: keys of the model, never an address. */
export async function members({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const audience = args[0]!
    const { destination, state, key } = options
    const [rows, standing] = await Promise.all([
      session.warehouse.audiences.members({ audience, destination, state, key, limit: options.limit ?? 50 }),
      session.warehouse.audiences.standing(audience),
    ])
    printer.json({ members: rows, standing })
    printer.table(
      ['destination', 'state', 'members'],
      standing.map((one) => [one.destination, one.state, one.members]),
    )
    printer.line()
    printer.table(
      ['key', 'destination', 'state', 'why', 'tries', 'when'],
      rows.map((row) => [
        maskInline(row.key),
        row.destination,
        row.state,
        row.message ? maskInline(row.message) : (row.cause ?? ''),
        row.attempts,
        ago(row.changedAt),
      ]),
    )
    return 0
  } finally {
    await session.close()
  }
}

/** Members that no push would try again, for the next one. */
export async function retry({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const audience = args[0]!
    const { destination, reason, dryRun: isDryRun = false } = options
    const found = await session.warehouse.audiences.retry({ audience, destination, reason, by: options.by ?? who() ?? 'unknown', isDryRun })
    const members = found.reduce((sum, one) => sum + one.members, 0)
    printer.json({ audience, members, isDryRun, destinations: found })
    if (members === 0) printer.line(`No member of ${audience} that fits is dead or left out.`)
    else {
      printer.table(
        ['destination', 'reason', 'members'],
        found.map((one) => [one.destination, one.reason, one.members]),
      )
      printer.line(
        isDryRun
          ? `\n${number(members)} members would be tried again. Nothing was done.`
          : `\n${number(members)} members are tried again by the next push: weir audience push ${audience}`,
      )
    }
    return exit.done
  } finally {
    await session.close()
  }
}
