import type { BackfillSlices } from '../core/backfill.js'
import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import { dayOf, endOfDay } from '../core/slices.js'
import type { Http, Pass, Slice, Stream } from '../core/types.js'
import type { Warehouse } from '../warehouse/driver.js'
import { settleMode } from './mode-switch.js'
import { type ByTime, catalogue, linesOf, ranges, slicesToDo } from './plan-slices.js'
import { lanesOf, modeOf } from './table-spec.js'

export interface BackfillPlanInput {
  warehouse: Warehouse
  http: Http
  definition: Definition
  stream: Stream
  backfill: string
  run: string
  /** ISO 8601 in UTC; `from` inclusive, `to` exclusive. */
  from: string
  to: string
  sliceDays?: number | undefined
}

/** A stream that its source lets be cut, and of which nobody says how. */
const usualDays = 30

type RangedPass = Pass & { slicing: ByTime }

/**
 * The passes by which a range of a stream is read. Those that see deletions are among them where they read by time: others would read
 * everything.
 * @throws Failure `config` where the stream takes no range
 */
export function rangedPasses(definition: Definition, stream: Stream): RangedPass[] {
  const { sync, streams } = definition
  const mode = modeOf(definition, stream)
  const passes = stream.passes.filter((pass): pass is RangedPass => pass.slicing.by === 'time')
  const why =
    mode === 'replace'
      ? 'is replaced as a whole'
      : passes.some(({ seesDeletions }) => !seesDeletions)
        ? undefined
        : 'cannot be asked for a range of time'
  if (why !== undefined)
    throw new Failure(
      'config',
      `Stream ${stream.name} of ${sync} ${why}, so it takes no backfill. Read all of it with: weir sync ${sync} --stream ${stream.name} --full`,
      { sync, stream: stream.name },
    )
  return passes.filter(({ seesDeletions }) => !(seesDeletions && streams[stream.name]?.deletions === 'off'))
}

/** Writes down once a run which slices of a stream a backfill reads, and names those that are still to do. The live sync's state is left alone. */
export async function planBackfill(input: BackfillPlanInput): Promise<BackfillSlices> {
  const { warehouse, definition, stream, backfill, run } = input
  const ref = { sync: definition.sync, stream: stream.name, run, backfill }
  if (!(await warehouse.planning.isPlanned(ref))) {
    await settleMode(input)
    if (stream.discover) await catalogue(input, await stream.discover(input.http))
    await warehouse.backfills.plan(ref, await slicesOf(input), modeOf(definition, stream) === 'replace_slice')
  }
  const { progress, ended } = await warehouse.backfills.progress(ref)
  const { endsAt } = (await warehouse.backfills.get(backfill)) ?? {}
  const open = ended ? { slices: [], more: false } : await slicesToDo(warehouse, ref)
  return {
    ...open,
    parallel: lanesOf(definition, stream),
    progress,
    ...(endsAt === undefined ? {} : { endsAt }),
    ...(ended ? { ended: { status: ended.status, ...(ended.failure ? { failure: ended.failure } : {}) } } : {}),
  }
}

/** The same range is cut in the same way whenever it is asked for. */
async function slicesOf({ http, definition, stream, from, to, sliceDays }: BackfillPlanInput): Promise<Slice[]> {
  const slices: Slice[] = []
  for (const { name, slicing } of rangedPasses(definition, stream)) {
    const days = sliceDays ?? definition.streams[stream.name]?.sliceDays ?? slicing.days ?? (slicing.earliest ? usualDays : undefined)
    const [start, end] = slicing.wholeDays ? [dayOf(new Date(from)), endOfDay(Date.parse(to) - 1)] : [new Date(from), new Date(to)]
    for (const line of await linesOf(name, slicing, http)) slices.push(...ranges(line, start, end, days))
  }
  return slices
}
