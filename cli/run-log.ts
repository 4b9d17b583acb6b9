/** What happened in a run, in the order of time: from `_weir`, and from Temporal's histories as long as those are kept. */
import { isGrpcServiceError } from '@temporalio/client'
import type { RunReport } from '../src/warehouse/contract/reports.js'
import { failureLine, number, statusText } from './print.js'
import { historyOf, type LogLine } from './run-history.js'
import type { Session } from './session.js'

/** @returns the lines, oldest first, and whether Temporal still has the histories: without them slices, waits and retries are missing. */
export async function logOf(session: Session, run: RunReport): Promise<{ lines: LogLine[]; isWhole: boolean }> {
  const [known, told] = await Promise.all([fromWarehouse(session, run), fromTemporal(session, run)])
  return { lines: [...known, ...(told ?? [])].sort((a, b) => a.at.localeCompare(b.at)), isWhole: told !== undefined }
}

async function fromWarehouse({ warehouse }: Session, run: RunReport): Promise<LogLine[]> {
  const [streams, pauses, changes, letters, results, marks] = await Promise.all([
    warehouse.reports.streams(run.run),
    warehouse.pauses.list(run.run),
    warehouse.changes.list({ sync: run.sync, run: run.run }),
    warehouse.reports.lettersOf(run.run),
    warehouse.quality.results(run.run),
    warehouse.state.history({ sync: run.sync, run: run.run, limit: 500 }),
  ])
  const counts = (one: { read: number; loaded: number; unchanged: number; deadLetters: number }) =>
    `${number(one.read)} read, ${number(one.loaded)} loaded, ${number(one.unchanged)} unchanged, ${number(one.deadLetters)} dead letters`
  const end = (one: RunReport | (typeof streams)[number], stream?: string): LogLine[] => {
    if (one.finishedAt === undefined) return []
    const way = one.failure ? `. ${failureLine(one.failure, one)}` : ''
    return [
      {
        at: one.finishedAt,
        ...(stream === undefined ? {} : { stream }),
        what: 'end',
        text: `${statusText(one.status, one.deadLetters)}: ${counts(one)}${way}`,
      },
    ]
  }
  return [
    {
      at: run.startedAt,
      what: 'start',
      text: `run ${run.run} (${run.kind}) of sync ${run.sync}, definition ${run.definition.slice(0, 12)}`,
    },
    ...streams.map(({ startedAt, stream }): LogLine => ({ at: startedAt, stream, what: 'start', text: 'its slices are planned' })),
    ...pauses.flatMap(({ stream, at, by, reason, resumedAt, resumedBy }): LogLine[] => [
      { at, ...(stream ? { stream } : {}), what: 'pause', text: `paused by ${by}: ${reason}` },
      ...(resumedAt
        ? [
            {
              at: resumedAt,
              ...(stream ? { stream } : {}),
              what: 'pause' as const,
              text: resumedBy ? `resumed by ${resumedBy}` : 'the run ended while it was paused',
            },
          ]
        : []),
    ]),
    ...changes.map(
      (one): LogLine => ({
        at: one.createdAt,
        stream: one.stream,
        what: 'schema',
        text: [
          one.change,
          one.field,
          one.type,
          `(${one.status})`,
          one.status === 'pending' ? `to decide: weir changes approve ${one.id}` : undefined,
        ]
          .filter((part) => part !== undefined)
          .join(' '),
      }),
    ),
    ...letters.map(
      ({ lastSeenAt, stream, reason, letters }): LogLine => ({
        at: lastSeenAt,
        stream,
        what: 'dead letters',
        text: `${number(letters)} met last here, reason ${reason}; look: weir dlq list ${run.sync} --stream ${stream}`,
      }),
    ),
    ...results.map(
      ({ checkedAt, stream, check, status, message }): LogLine => ({
        at: checkedAt,
        stream,
        what: 'quality',
        text: `${check}: ${status}. ${message}`,
      }),
    ),
    ...marks.flatMap(({ at, stream, pass, parent, before, after }): LogLine[] =>
      after === undefined || after === before
        ? []
        : [{ at, stream, what: 'watermark', text: `${pass}${parent ? ` ${parent}` : ''}: complete up to ${after}` }],
    ),
    ...streams.flatMap((one) => end(one, one.stream)),
    ...end(run),
  ]
}

/** gRPC's NOT_FOUND. */
const notFound = 5

/** Undefined where Temporal no longer has the run's history. */
async function fromTemporal({ temporal }: Session, run: RunReport): Promise<LogLine[] | undefined> {
  if (run.workflow === undefined) return undefined
  try {
    const own = await historyOf(temporal, { workflow: run.workflow, run: run.run })
    const children = await Promise.all(own.children.map(async ({ stream, ...ref }) => (await historyOf(temporal, ref, stream)).lines))
    return [...own.lines, ...children.flat()]
  } catch (error) {
    // Asked for a history, the client passes the server's answer on as it came.
    if (isGrpcServiceError(error) && error.code === notFound) return undefined
    throw error
  }
}
