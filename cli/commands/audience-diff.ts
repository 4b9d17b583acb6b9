import { Failure } from '../../src/core/failure.js'
import type { PushRow } from '../../src/warehouse/contract/audiences.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { exit } from '../exit.js'
import { maskInline } from '../mask.js'
import { number, type Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

interface DiffOptions extends Common {
  fromRun?: string
  toRun?: string
  destination?: string
  limit: number
}

/** Who joined, left and changed between two pushes; without names of them by the newest that ended, against the one before. */
export async function run({ options, printer, args }: { options: DiffOptions; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const audience = args[0]!
    const { from, to } = await pushes(session.warehouse, audience, options)
    const { destination, limit } = options
    const found = await session.warehouse.audiences.diff({ audience, from: from?.run, to: to.run, destination, limit })
    printer.json({ audience, from: from?.run, to: to.run, ...found })
    printer.line(`${audience}: from ${from ? `push ${from.run}, ${from.startedAt}` : 'nothing'}\n  to push ${to.run}, ${to.startedAt}\n`)
    if (found.destinations.length === 0) printer.line('Nothing changed.')
    else {
      printer.table(
        ['destination', 'joined', 'left', 'changed'],
        found.destinations.map((one) => [one.destination, one.joined, one.left, one.changed]),
      )
      printer.line()
      printer.table(
        ['destination', 'action', 'why', 'members'],
        found.changes.map((one) => [one.destination, one.action, one.cause, one.members]),
      )
      printer.line()
      printer.table(
        ['destination', 'what', 'why', 'key'],
        found.members.map((one) => [one.destination, one.what, one.cause, maskInline(one.key)]),
      )
      const all = found.destinations.reduce((sum, one) => sum + one.joined + one.left + one.changed, 0)
      if (found.members.length < all) printer.line(`\n${number(found.members.length)} of ${number(all)}: more with --limit.`)
    }
    return exit.done
  } finally {
    await session.close()
  }
}

/** @throws Failure `config` for a push that is not of this audience, and for two in the wrong order */
async function pushes({ audiences }: Warehouse, audience: string, { fromRun, toRun }: DiffOptions) {
  const named = async (run: string): Promise<PushRow> => {
    const [row] = await audiences.runs({ audience, run, limit: 1 })
    if (!row)
      throw new Failure('config', `There is no push ${run} of ${audience}: \`weir audience runs ${audience}\` shows those that are.`)
    return row
  }
  const ended = (await audiences.runs({ audience, limit: 1_000 })).filter(({ finishedAt }) => finishedAt !== undefined)
  const to = toRun === undefined ? ended[0] : await named(toRun)
  if (!to) throw new Failure('config', `No push of ${audience} has ended yet: weir audience push ${audience}`)
  const from = fromRun === undefined ? ended.find(({ startedAt }) => startedAt < to.startedAt) : await named(fromRun)
  if (from && from.startedAt >= to.startedAt)
    throw new Failure('config', `Push ${from.run} is not earlier than ${to.run}: --from-run names the earlier one.`)
  return { from, to }
}
