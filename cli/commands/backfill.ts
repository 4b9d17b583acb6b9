import { randomBytes } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { duration as durationOf, instant } from '../../src/config/units.js'
import { workflowTaskMs } from '../../src/core/activities.js'
import { type BackfillInput, overlaps } from '../../src/core/backfill.js'
import type { Definition } from '../../src/core/definition.js'
import { Failure } from '../../src/core/failure.js'
import { labels } from '../../src/core/run-start.js'
import { dayMs } from '../../src/core/slices.js'
import { rangedPasses } from '../../src/engine/plan-backfill.js'
import type { BackfillDetail } from '../../src/warehouse/contract/backfills.js'
import { who } from '../confirm.js'
import { exitOf } from '../exit.js'
import { sourceOf } from '../known-streams.js'
import { patiently } from '../patience.js'
import { duration, number, type Printer, tableText } from '../print.js'
import { chosenStreams } from '../project.js'
import { openSession, putDefinition, queue, refuseDetach, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { drawing, watched } from '../watch.js'
import { workflowFailure } from '../workflow-failure.js'

export interface BackfillOptions extends Common {
  from?: string
  to?: string
  stream?: string[]
  slice?: string
  parallel?: number
  detach?: boolean
}

/** Reads a range of streams again, or for the first time, beside the live sync. */
export async function run({ options, printer, args }: { options: BackfillOptions; printer: Printer; args: string[] }): Promise<number> {
  const range = rangeOf(options, new Date())
  const session = await openSession(options, printer, (manifest) => chosenStreams(manifest, args, options.stream))
  try {
    refuseDetach(options, session)
    const [sync] = args as [string]
    const definition = session.manifest.syncs[sync]!
    const { streams, left } = await streamsFor(definition, options.stream)
    if (left.length > 0) printer.note(`Left out, since they take no range: ${left.join(', ')}. Read them with: weir sync ${sync} --full`)
    await refuseOverlap(session, { sync, streams, ...range })
    const input: BackfillInput = {
      id: `${range.from.slice(0, 10)}_${range.to.slice(0, 10)}_${randomBytes(2).toString('hex')}`,
      sync,
      definition: await putDefinition(session, definition),
      streams,
      ...range,
      by: who() ?? 'unknown',
      ...(options.slice === undefined ? {} : { sliceDays: daysOf(options.slice) }),
      ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
    }
    const handle = await startBackfill(session, input, definition.connection.type)
    printer.note(`${handle.workflowId}: ${streams.join(', ')}, ${range.from} up to, not including, ${range.to}`)
    if (options.detach) {
      printer.json({ backfill: input.id, run: handle.firstExecutionRunId })
      printer.line(`Watch it: weir backfill show ${input.id}`)
      return 0
    }
    return await followed(session, input.id, handle, printer)
  } finally {
    await session.close()
  }
}

/** The range as instants in UTC. What lies ahead is left to the live sync: the range ends now at the latest. @throws Failure `config` */
export function rangeOf({ from, to }: Pick<BackfillOptions, 'from' | 'to'>, now: Date): { from: string; to: string } {
  const read = (name: string, text: string | undefined) => {
    const at = text === undefined ? undefined : instant(text, 'UTC')
    if (at === undefined)
      throw new Failure(
        'config',
        `--${name} ${text === undefined ? 'is missing' : `"${text}" is no date`}: write it as 2025-01-31 or 2025-01-31T06:00Z.`,
      )
    return at
  }
  const start = read('from', from)
  const end = read('to', to)
  if (start >= end) throw new Failure('config', `--from ${from} must lie before --to ${to}, which is not included.`)
  const latest = `${now.toISOString().slice(0, 19)}.000Z`
  if (start >= latest) throw new Failure('config', `--from ${from} lies in the future: there is nothing to read yet.`)
  return { from: start, to: end < latest ? end : latest }
}

function daysOf(text: string): number {
  const ms = durationOf(text)
  if (ms === undefined || ms < dayMs || ms % dayMs !== 0)
    throw new Failure('config', `--slice "${text}" is no number of days: write 7d or 4w.`)
  return ms / dayMs
}

/** Those that are named, or all that take a range. @throws Failure `config` where one that is named takes none */
async function streamsFor(definition: Definition, named: string[] | undefined): Promise<{ streams: string[]; left: string[] }> {
  const { streams: known } = await sourceOf(definition)
  const takesRange = (name: string) => {
    try {
      return rangedPasses(definition, known[name]!).length > 0
    } catch (error) {
      if (named || !(error instanceof Failure)) throw error
      return false
    }
  }
  const asked = [...new Set(named ?? Object.keys(definition.streams))]
  const streams = asked.filter(takesRange)
  if (streams.length === 0)
    throw new Failure('config', `No stream of ${definition.sync} takes a range. Read them with: weir sync ${definition.sync} --full`)
  return { streams, left: asked.filter((name) => !streams.includes(name)) }
}

/** The worker refuses it too; here a person hears of it at once. */
async function refuseOverlap({ warehouse }: Session, asked: Pick<BackfillInput, 'sync' | 'streams' | 'from' | 'to'>): Promise<void> {
  const other = (await warehouse.backfills.list({ sync: asked.sync, isOpen: true })).find((one) => overlaps(one, asked))
  if (!other) return
  const { id } = other
  throw new Failure(
    'config',
    `Backfill ${id} of ${asked.sync} is ${other.status} and reads some of the same: watch it with \`weir backfill show ${id}\`, wait for its end, or cancel it with \`weir backfill cancel ${id}\`.`,
    { sync: asked.sync },
  )
}

export const workflowIdOf = ({ sync, id }: { sync: string; id: string }) => `backfill/${sync}/${id}`

/** Starts the workflow, of a new backfill or of one that has ended without being complete. */
export async function startBackfill({ temporal }: Session, input: BackfillInput, vendor: string) {
  const { id, sync, definition, streams, from, to } = input
  try {
    return await temporal.workflow.start('backfill', {
      taskQueue: queue(),
      workflowId: workflowIdOf(input),
      args: [input],
      workflowTaskTimeout: workflowTaskMs,
      priority: { priorityKey: 5 },
      staticSummary: `${sync}: backfill ${from.slice(0, 10)} to ${to.slice(0, 10)}`,
      staticDetails: `Asked for by ${input.by}. Streams: ${streams.join(', ')}. Updates \`pause\` and \`resume\`; cancel it as any workflow.`,
      ...labels({ sync, vendor, kind: 'backfill', definition, tellsStatus: true }),
    })
  } catch (error) {
    throw workflowFailure(error, { sync }, `Backfill ${id} is under way: weir backfill show ${id}`)
  }
}

/** Waits for the end and shows the way there. Ctrl-C ends the watching alone: what runs for hours is not cancelled by leaving it. */
export async function followed(session: Session, id: string, handle: WorkflowHandle, printer: Printer): Promise<number> {
  const live = await drawing(printer)
  const leave = () => {
    live?.done()
    const stays = session.ownsStack ? 'It goes on when `weir dev` or the next command starts this stack again' : 'It goes on'
    printer.note(`${stays}: weir backfill show ${id}, pause ${id} or cancel ${id}.`)
    session.close().finally(() => process.exit(130))
  }
  process.once('SIGINT', leave)
  let failure: unknown
  try {
    const end = patiently(() => handle.result(), { note: printer.note })
    await watched(end, { printer, plainEveryMs: 10_000, look: () => lookAt(session, id) })
  } catch (error) {
    failure = workflowFailure(error)
  } finally {
    process.off('SIGINT', leave)
  }
  const row = await patiently(() => session.warehouse.backfills.get(id), { note: printer.note })
  // One that was refused has no row.
  if (!row) throw failure ?? new Failure('bug', `Backfill ${id} has ended and is not known to the warehouse.`)
  printer.json({ backfill: row })
  printBackfill(row, printer)
  return exitOf([row.status])
}

async function lookAt({ warehouse }: Session, id: string) {
  const row = await warehouse.backfills.get(id)
  return row && { live: `${tableText(streamHead, row.perStream.map(streamCells))}\n\n${progressText(row)}`, plain: progressText(row) }
}

const streamHead = ['stream', 'slices', 'done', 'set aside', 'read', 'loaded', 'unchanged', 'dead letters']
const streamCells = (one: BackfillDetail['perStream'][number]) => [
  one.stream,
  one.total,
  one.done,
  one.failed,
  one.read,
  one.loaded,
  one.unchanged,
  one.deadLetters,
]

/** How far it is, in a line. */
export function progressText({ status, slices, read, requests, endsAt }: BackfillDetail, now = Date.now()): string {
  const { total, done, failed } = slices
  const aside = failed > 0 ? `, ${number(failed)} set aside` : ''
  const end = endsAt === undefined ? '' : `, done in about ${duration(Math.max(0, Date.parse(endsAt) - now))}`
  return `${status}: ${number(done)} of ${number(total)} slices done${aside}, ${number(read)} records read in ${number(requests)} requests${end}`
}

/** All that is known of a backfill. */
export function printBackfill(row: BackfillDetail, printer: Printer): void {
  printer.line(`backfill ${row.id} of ${row.sync}, ${row.from} up to, not including, ${row.to}; asked for by ${row.createdBy}`)
  printer.line(`${progressText(row)}\n`)
  printer.table(streamHead, row.perStream.map(streamCells))
  if (row.failure) printer.line(`\n${row.failure.message} [${row.failure.reason}]`)
  if (row.deadLetters > 0 || row.slices.failed > 0) printer.line(`\nDead letters: weir dlq list ${row.sync}`)
  if (row.status === 'failed' || row.status === 'cancelled') printer.line(`\nGo on with it: weir backfill resume ${row.id}`)
}
