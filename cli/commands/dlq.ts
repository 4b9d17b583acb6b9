import { Failure } from '../../src/core/failure.js'
import { parseJson } from '../../src/http/json.js'
import type { LetterRow, Warehouse } from '../../src/warehouse/driver.js'
import { isSure } from '../confirm.js'
import { exit } from '../exit.js'
import { type LetterOptions, letterFilter, letterId } from '../letter-filter.js'
import { maskInline, maskValue } from '../mask.js'
import { ago, number, type Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

interface ListOptions extends Common, LetterOptions {
  status: LetterRow['status']
  limit: number
}
export interface ActOptions extends Common, LetterOptions {
  all?: boolean
  dryRun?: boolean
  yes?: boolean
}
type Context<O> = { options: O; printer: Printer; args: string[] }

/** Keys and messages as they may be shown. */
const shown = (letter: LetterRow): LetterRow => ({
  ...letter,
  message: maskInline(letter.message),
  ...(letter.key === undefined ? {} : { key: maskInline(letter.key) }),
})

export async function list({ options, printer, args }: Context<ListOptions>): Promise<number> {
  const filter = { ...letterFilter(options, args[0]), status: options.status }
  const session = await openSession(options, printer)
  try {
    const letters = (await session.warehouse.letters.list(filter, options.limit)).map(shown)
    const total = (await session.warehouse.letters.count(filter)).reduce((sum, one) => sum + one.letters, 0)
    printer.json({ total, letters })
    if (letters.length === 0) printer.line(`There are no ${options.status} dead letters that fit${args[0] ? ` in ${args[0]}` : ''}.`)
    else letterTable(letters, printer)
    if (letters.length < total) printer.line(`\n${number(letters.length)} of ${number(total)}: more with --limit.`)
    return exit.done
  } finally {
    await session.close()
  }
}

export function letterTable(letters: readonly LetterRow[], printer: Printer): void {
  printer.table(
    ['id', 'sync', 'stream', 'kind', 'reason', 'key', 'attempts', 'first seen', 'last seen', 'status', 'message'],
    letters.map((one) => [
      one.id,
      one.sync,
      one.stream,
      one.kind,
      one.reason,
      short(one.key ?? '', 40),
      one.attempts,
      ago(one.firstSeenAt),
      ago(one.lastSeenAt),
      one.status,
      short(one.message, 120),
    ]),
  )
}

const short = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

/** Everything about one letter. Its payload is masked unless --reveal asks for it in clear. */
export async function show({ options, printer, args }: Context<Common & { reveal?: boolean }>): Promise<number> {
  const wanted = letterId(args[0]!)
  const session = await openSession(options, printer)
  try {
    const found = await session.warehouse.letters.get(wanted)
    if (!found)
      throw new Failure('config', `There is no dead letter ${wanted}: it was swept, or never was. \`weir dlq list\` shows those that are.`)
    const { payload, ...letter } = found
    // A slice is names and times: nobody's data.
    const isClear = options.reveal === true || letter.kind === 'slice'
    const masked = isClear ? undefined : maskValue(parseJson(payload))
    const about = options.reveal ? letter : shown(letter)
    printer.json({ ...about, ...(isClear ? { payloadText: payload } : { payload: masked }) })
    for (const [name, value] of Object.entries(about)) printer.line(`${name.padEnd(12)} ${value}`)
    printer.line(`\npayload${isClear ? '' : ' (masked; --reveal shows it in clear)'}:`)
    printer.line(isClear ? payload : JSON.stringify(masked, null, 2))
    return exit.done
  } finally {
    await session.close()
  }
}

export async function discard({ options, printer, args }: Context<ActOptions>): Promise<number> {
  const filter = chosen(options, args[0])
  const session = await openSession(options, printer)
  try {
    const { letters } = session.warehouse
    const total = await preview(letters, filter, printer, options)
    if (total === 0 || options.dryRun) return exit.done
    const question = `${number(total)} open dead letters are closed without being loaded. Go on?`
    if (!options.yes && !(await isSure(question))) return exit.failed
    const discarded = await letters.discard(filter)
    printer.json({ discarded })
    printer.line(`Discarded ${number(discarded)} dead letters.`)
    return exit.done
  } finally {
    await session.close()
  }
}

/** What a command acts on; never everything by oversight. @throws Failure `config` */
export function chosen(options: ActOptions, sync: string | undefined): ReturnType<typeof letterFilter> {
  const filter = letterFilter(options, sync)
  if (Object.keys(filter).length === 0 && !options.all)
    throw new Failure(
      'config',
      'Say which dead letters: a sync, or a filter such as --stream, --reason or --id; or --all for every open one.',
    )
  return filter
}

const previewed = 50

/** Lists what would be touched, and answers with how many that are. */
export async function preview(
  letters: Warehouse['letters'],
  filter: ReturnType<typeof letterFilter>,
  printer: Printer,
  { dryRun }: ActOptions,
): Promise<number> {
  const open = { ...filter, status: 'open' as const }
  const total = (await letters.count(open)).reduce((sum, one) => sum + one.letters, 0)
  const first = (await letters.list(open, previewed)).map(shown)
  if (total === 0 || dryRun) printer.json({ total, letters: first })
  if (total === 0) printer.line('There are no open dead letters that fit.')
  else if (dryRun) {
    letterTable(first, printer)
    printer.line(
      `\n${number(total)} open dead letters fit${total > first.length ? `; the newest ${first.length} are shown` : ''}. Nothing was done.`,
    )
  }
  return total
}
