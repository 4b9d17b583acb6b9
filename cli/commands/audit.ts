import { Failure } from '../../src/core/failure.js'
import type { AuditEvent, AuditHead, AuditRow } from '../../src/warehouse/contract/audit.js'
import { exit } from '../exit.js'
import { number, type Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

interface AuditOptions extends Common {
  audience?: string
  event?: AuditEvent
  limit: number
  head?: string
}
type Context = { options: AuditOptions; printer: Printer }

/** Who asked, decided and did what, the newest first. */
export async function list({ options, printer }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const { audience, event, limit } = options
    const rows = await session.warehouse.audit.list({ audience, event, limit })
    printer.json({ rows })
    if (rows.length === 0) printer.line('Nothing of that kind was done yet.')
    else
      printer.table(
        ['row', 'when', 'what', 'who', 'audience', 'run', 'about'],
        rows.map((row) => [row.seq, row.at, row.event, row.by ?? '', row.audience ?? '', row.run ?? '', about(row)]),
      )
    return exit.done
  } finally {
    await session.close()
  }
}

/** The detail in a few words; --json has all of it. */
function about({ detail }: AuditRow): string {
  const { outcome, changeSet, people, reasons, field, members, audiences } = detail as Record<string, unknown>
  const words = [
    outcome,
    typeof changeSet === 'string' ? `change set ${changeSet.slice(0, 12)}` : undefined,
    people === undefined ? undefined : `${people} people`,
    Array.isArray(reasons) && reasons.length > 0 ? `waits: ${reasons.join('; ')}` : undefined,
    field,
    typeof members === 'number' ? `${members} members` : undefined,
    Array.isArray(audiences) ? audiences.join(', ') : undefined,
  ]
  return words.filter((word) => word !== undefined).join(', ')
}

/** Is the chain whole? It ends with 1 at the first row that does not fit. */
export async function verify({ options, printer }: Context): Promise<number> {
  const noted = options.head === undefined ? undefined : headOf(options.head)
  const session = await openSession(options, printer)
  try {
    const verdict = await session.warehouse.audit.verify(noted)
    const { rows, withoutKey, head, broken } = verdict
    printer.json(verdict)
    if (broken)
      printer.line(`The audit log is broken at row ${broken.seq}: ${broken.problem}. The ${number(rows)} rows before it are whole.`)
    else printer.line(`The audit log is whole: ${number(rows)} rows.`)
    if (withoutKey > 0)
      printer.line(`${number(withoutKey)} rows were written without WEIR_KEY: whoever may write to the table could have made them.`)
    if (!broken && rows > 0) printer.line(`Note its head elsewhere; later: weir audit verify --head ${head.seq}:${head.hash}`)
    return broken ? exit.failed : exit.done
  } finally {
    await session.close()
  }
}

/** @throws Failure `config` */
function headOf(text: string): AuditHead {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq === undefined || hash === undefined)
    throw new Failure('config', `--head: expected what \`weir audit verify\` printed, such as 17:4f0c…, found "${text}".`)
  return { seq: Number(seq), hash }
}
