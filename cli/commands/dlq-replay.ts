import type { LetterFilter, ReplayInput, ReplayReceipt } from '../../src/core/activities.js'
import { Failure } from '../../src/core/failure.js'
import { labels } from '../../src/core/run-start.js'
import type { ReplayReport } from '../../src/engine/replay.js'
import { isSure } from '../confirm.js'
import { exit, exitOf } from '../exit.js'
import { maskInline } from '../mask.js'
import { number, type Printer } from '../print.js'
import { openSession, putDefinition, queue, type Session } from '../session.js'
import { workflowFailure } from '../workflow-failure.js'
import { type ActOptions, chosen, preview } from './dlq.js'
import { follow, report, startSync } from './sync.js'

/** One stream's part of a replay. */
interface Replayed extends Omit<ReplayReceipt, 'handover'>, ReplayReport {
  sync: string
  stream: string
}

/** Open letters loaded again by the files as they stand, a workflow a stream; then a sync of the streams that must be read again. */
export async function replay({
  options,
  printer,
  args,
}: {
  options: ActOptions & { limit?: number }
  printer: Printer
  args: string[]
}): Promise<number> {
  const filter = chosen(options, args[0])
  const session = await openSession(options, printer)
  try {
    const total = await preview(session.warehouse.letters, filter, printer, options)
    if (total === 0) return exit.done
    const streams = await streamsOf(session, filter)
    for (const { sync, stream, mode } of streams)
      if (isReadWhole(mode))
        printer.line(`${sync}/${stream} is read in mode ${mode}: it is read again instead, and that closes what it loads.`)
    if (options.dryRun) return exit.done
    const question = `${number(total)} open dead letters of ${streams.map(({ sync, stream }) => `${sync}/${stream}`).join(', ')} are loaded again. Go on?`
    if (!options.yes && !(await isSure(question))) return exit.failed
    const replays: Replayed[] = []
    let left = options.limit
    for (const { sync, stream } of streams) {
      if (left === 0) break
      const one = await replayStream(session, { sync, stream, filter, limit: left })
      if (left !== undefined) left = Math.max(0, left - one.loaded - one.unchanged - one.failed - one.reopened)
      replays.push(one)
      show(one, printer)
    }
    const ended = await readAgain(session, replays, printer)
    printer.json({ replays, runs: ended })
    if (ended.length > 0) report(ended, { ...printer, json: () => {} })
    const statuses = ended.map(({ status }) => status)
    return statuses.length > 0 && exitOf(statuses) !== exit.done
      ? exitOf(statuses)
      : replays.some(({ failed }) => failed > 0)
        ? exit.deadLetters
        : exit.done
  } finally {
    await session.close()
  }
}

const isReadWhole = (mode: string | undefined) => mode === 'replace' || mode === 'replace_slice'

/** The streams that have letters; one that the project no longer reads cannot take any. @throws Failure `config` */
async function streamsOf({ warehouse, manifest }: Session, filter: LetterFilter) {
  const found = await warehouse.letters.count({ ...filter, status: 'open' })
  const names = [...new Map(found.map(({ sync, stream }) => [`${sync}/${stream}`, { sync, stream }])).values()]
  return names.map(({ sync, stream }) => {
    const settings = manifest.syncs[sync]?.streams[stream]
    if (!settings)
      throw new Failure(
        'config',
        `The project file no longer reads ${sync}/${stream}. Name what is to be replayed (weir dlq replay SYNC --stream NAME), or discard those: weir dlq discard ${sync} --stream ${stream}`,
      )
    return { sync, stream, mode: settings.mode }
  })
}

async function replayStream(
  session: Session,
  { sync, stream, filter, limit }: { sync: string; stream: string; filter: LetterFilter; limit: number | undefined },
): Promise<Replayed> {
  const definition = await putDefinition(session, session.manifest.syncs[sync]!)
  const { ids, kind, reason, run, since } = filter
  const input: ReplayInput = {
    sync,
    definition,
    stream,
    filter: {
      ...(ids ? { ids } : {}),
      ...(kind ? { kind } : {}),
      ...(reason ? { reason } : {}),
      ...(run ? { run } : {}),
      ...(since ? { since } : {}),
    },
    ...(limit === undefined ? {} : { limit }),
  }
  try {
    const { handover, ...receipt } = (await session.temporal.workflow.execute('replayDeadLetters', {
      taskQueue: queue(),
      workflowId: `replay/${sync}/${stream}`,
      args: [input],
      staticSummary: `Dead letters of ${sync}/${stream}`,
      staticDetails: `Loads open dead letters of ${sync}/${stream} again, by the definition of today. What is left: \`weir dlq list ${sync} --stream ${stream}\``,
      ...labels({ sync, stream, kind: 'replay', definition: input.definition, tellsStatus: true }),
    })) as ReplayReceipt
    const { letters, isCut } = (await session.warehouse.handovers.take(handover)) as ReplayReport
    return { sync, stream, ...receipt, letters: letters.map(masked), isCut }
  } catch (error) {
    throw workflowFailure(error, { sync, stream }, `Dead letters of ${sync}/${stream} are being replayed already. Wait for its end.`)
  }
}

const masked = (one: ReplayReport['letters'][number]): ReplayReport['letters'][number] => ({
  ...one,
  ...(one.key === undefined ? {} : { key: maskInline(one.key) }),
  ...(one.message === undefined ? {} : { message: maskInline(one.message) }),
})

const outcomes = {
  loaded: 'loaded',
  unchanged: 'unchanged: a row that is as new or newer stands',
  failed: 'failed again',
  reopened: 'slice opened again',
} as const

function show({ sync, stream, letters, isCut, loaded, unchanged, failed, reopened }: Replayed, printer: Printer): void {
  printer.line(
    `${sync}/${stream}: ${number(loaded)} loaded, ${number(unchanged)} unchanged, ${number(failed)} failed again, ${number(reopened)} slices opened again`,
  )
  if (letters.length > 0)
    printer.table(
      ['id', 'key', 'outcome', 'message'],
      letters.map((one) => [one.id, one.key ?? '', outcomes[one.outcome], one.message ?? '']),
    )
  if (isCut) printer.line(`The first ${number(letters.length)} are shown.`)
}

/** Streams that are replaced as a whole, and slices that were opened again, come by a sync. */
async function readAgain(session: Session, replays: readonly Replayed[], printer: Printer) {
  const syncs = new Map<string, string[]>()
  for (const { sync, stream, readAgain } of replays) if (readAgain) syncs.set(sync, [...(syncs.get(sync) ?? []), stream])
  const started = []
  for (const [sync, streams] of syncs) {
    printer.note(`Reading ${streams.join(', ')} of ${sync} again.`)
    started.push(await startSync(session, sync, { stream: streams }))
  }
  return started.length > 0 ? follow(session, started, printer) : []
}
