import { Failure } from '../../src/core/failure.js'
import { labels } from '../../src/core/run-start.js'
import { takenName } from '../../src/schema/encode.js'
import type { ChangeRow, ChangeStatus } from '../../src/warehouse/driver.js'
import { who } from '../confirm.js'
import { ago, number, type Printer } from '../print.js'
import { openSession, putDefinition, queue, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { workflowFailure } from '../workflow-failure.js'

interface ChangesOptions extends Common {
  stream?: string
  status?: ChangeStatus[]
  limit?: number
  by?: string
}
type Context = { options: ChangesOptions; printer: Printer; args: string[] }

/** What a person may decide. */
const undecided: readonly ChangeStatus[] = ['captured', 'pending']

/** Says which fields wait for a decision, so that nobody has to look for them. */
export async function pendingText({ warehouse }: Session, syncs: readonly string[]): Promise<string | undefined> {
  const pending = (await warehouse.changes.list({ status: ['pending'] })).filter(({ sync }) => syncs.includes(sync))
  if (pending.length === 0) return undefined
  const streams = [...new Set(pending.map(({ sync, stream }) => `${sync}/${stream}`))].join(', ')
  return `${number(pending.length)} new ${pending.length === 1 ? 'field waits' : 'fields wait'} for a decision (${streams}); look at them with: weir changes list --status pending`
}

export async function list({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const [sync] = args
    const changes = await session.warehouse.changes.list({
      ...(sync ? { sync } : {}),
      ...(options.stream ? { stream: options.stream } : {}),
      ...(options.status ? { status: options.status } : {}),
      limit: options.limit ?? 50,
    })
    printer.json({ changes })
    if (changes.length === 0) printer.line('No schema change is known.')
    else
      printer.table(
        ['id', 'table', 'change', 'field', 'type', 'status', 'when', 'by'],
        changes.map((one) => [
          String(one.id),
          `${one.schema}.${one.table}`,
          one.change,
          one.field ?? '',
          one.variant === undefined ? (one.type ?? '') : `${one.variant} (variant)`,
          one.status,
          ago(one.createdAt),
          one.decidedBy ?? '',
        ]),
      )
    const open = changes.filter(({ status }) => undecided.includes(status)).map(({ id }) => id)
    if (open.length > 0) printer.line(`\nTo decide: weir changes approve ${open.slice(0, 5).join(' ')}, or weir changes reject …`)
    return 0
  } finally {
    await session.close()
  }
}

export async function show({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const shown = []
    for (const change of await chosen(session, args)) {
      const waiting = change.field === undefined || change.status === 'applied' ? 0 : await session.warehouse.changes.waiting(change)
      shown.push({ ...change, waiting })
      printer.table(
        ['what', 'value'],
        [...Object.entries(change), ['rows whose value waits in _weir_extra', waiting]].map(([key, value]) => [String(key), String(value)]),
      )
      if (undecided.includes(change.status))
        printer.line(`\nTo decide: weir changes approve ${change.id}, or weir changes reject ${change.id}`)
    }
    printer.json({ changes: shown })
    return 0
  } finally {
    await session.close()
  }
}

/** Decides, then waits until the column is there and filled. */
export async function approve({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const changes = await chosen(session, args)
    const results = []
    for (const change of changes) {
      const definition = session.manifest.syncs[change.sync]
      if (!definition)
        throw new Failure('config', `Schema change ${change.id} is of sync ${change.sync}, which the project file does not have.`)
      if (change.status !== 'approved') await decide(session, change, 'approved', options)
      const filled = await apply(session, change, await putDefinition(session, definition))
      results.push({ id: change.id, field: change.field, ...(change.variant ? { variant: change.variant } : {}), filled })
      printer.line(`${change.id}: ${taken(change)} has its column now, ${number(filled)} rows filled.`)
    }
    printer.json({ approved: results })
    return 0
  } finally {
    await session.close()
  }
}

/** @returns how many rows got their value */
async function apply({ temporal }: Session, { id, sync, stream }: ChangeRow, definition: string): Promise<number> {
  try {
    const { filled } = (await temporal.workflow.execute('applyChange', {
      taskQueue: queue(),
      workflowId: `change/${sync}/${stream}/${id}`,
      args: [{ sync, definition, stream, change: id }],
      staticSummary: `${sync} / ${stream}: column for a new field`,
      staticDetails: `Adds the approved column and fills it from _weir_extra: \`weir changes show ${id}\``,
      ...labels({ sync, stream, kind: 'change', definition, tellsStatus: false }),
    })) as { filled: number }
    return filled
  } catch (error) {
    throw workflowFailure(error, { sync, stream }, `Schema change ${id} is being applied already. Wait for its end.`)
  }
}

export async function reject({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    for (const change of await chosen(session, args)) {
      await decide(session, change, 'rejected', options)
      printer.line(`${change.id}: ${taken(change)} stays in _weir_extra. Approve it later with: weir changes approve ${change.id}`)
    }
    printer.json({ rejected: args.map(Number) })
    return 0
  } finally {
    await session.close()
  }
}

const taken = ({ field = '', variant }: ChangeRow) => takenName({ field, ...(variant ? { variant } : {}) })

async function decide(
  { warehouse }: Session,
  { id, change, status }: ChangeRow,
  decision: 'approved' | 'rejected',
  { by }: ChangesOptions,
): Promise<void> {
  if (await warehouse.changes.decide(id, decision, by ?? who() ?? 'unknown')) return
  throw new Failure('config', `Schema change ${id} (${change}) needs no decision: it is ${status}.`)
}

async function chosen({ warehouse }: Session, args: readonly string[]): Promise<ChangeRow[]> {
  const wrong = args.find((text) => !/^\d{1,15}$/.test(text))
  if (wrong !== undefined) throw new Failure('config', `"${wrong}" is not the number of a schema change. See them with: weir changes list`)
  const changes = await warehouse.changes.list({ ids: args.map(Number) })
  const missing = args.filter((text) => !changes.some(({ id }) => id === Number(text)))
  if (missing.length > 0) throw new Failure('config', `There is no schema change ${missing.join(', ')}. See them with: weir changes list`)
  return changes
}
