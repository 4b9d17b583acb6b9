import type { FailureNote } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { asFailure, Failure, type WaitsFor } from '../core/failure.js'
import type { Clock } from '../core/ports.js'
import { difference, usedSince } from '../core/receipt.js'
import { halvesOf } from '../core/slices.js'
import type { Counts, Http, Resume, Slice, Stream, Used } from '../core/types.js'
import { noTrace, type Trace } from '../observe/trace.js'
import type { Claim, Letter, Wait, Warehouse } from '../warehouse/driver.js'
import { Batch } from './batch.js'
import { deadLettersOf } from './dead-letters.js'
import { knownTableSpec, lanesOf } from './table-spec.js'
import { openTyper, policyOf, type Typer } from './typer.js'

export interface SyncSliceInput {
  warehouse: Warehouse
  http: Http
  clock: Clock
  definition: Definition
  stream: Stream
  run: string
  /** Whose slice it is, where it is not the live sync's. */
  backfill?: string | undefined
  key: string
  /** Who holds the slice, for people who look at `_weir.checkpoints`. */
  owner: string
  /** When this attempt was called for: it cannot take the slice from one that was called for later. */
  attemptAt: Date
  signal: AbortSignal
  /** Called at every page and commit; for progress that people see. */
  onProgress: (counts: Counts, reached?: string) => void
  /** Called with what each commit added, and how long it took. */
  onCommit?: (added: Counts, tookMs: number) => void
  trace?: Trace
  limits?: Partial<Limits>
}

export interface Limits {
  /** A batch closes at this size of encoded rows … */
  batchBytes: number
  /** … or at this age, so that even a worker that is killed often makes progress. */
  batchAgeMs: number
  /** After so long the slice is handed back, to be called again. */
  workMs: number
  /** Claims of one run without a commit between them, after which the slice gives up. */
  idleClaims: number
}

/** Of all slices of a stream that are read at once. */
const batchBytes = 8 * 1024 * 1024
const smallestBatch = 1024 * 1024
const largestBatch = 4 * 1024 * 1024

const defaults: Omit<Limits, 'batchBytes'> = { batchAgeMs: 2_000, workMs: 10 * 60_000, idleClaims: 8 }

/** What the vendor said no to for longer than an activity should wait, or a slice that needs another call. */
export interface SliceEnd {
  counts: Counts
  more?: true
  /** Two halves have taken its place, counts and all. */
  halved?: true
  waitUntil?: string
  waitsFor?: WaitsFor
}

/**
 * Reads one slice from its checkpoint to its end. While one batch is being committed the next is fetched and typed; more
 * than that is never in memory. What was complete when something failed is committed before the failure goes on.
 * Repeating it changes nothing: a finished slice answers with its counts.
 */
export async function syncSlice(input: SyncSliceInput): Promise<SliceEnd> {
  const { warehouse, definition, stream, run, key } = input
  const share = batchBytes / lanesOf(definition, stream)
  const limits = { ...defaults, batchBytes: Math.min(largestBatch, Math.max(smallestBatch, share)), ...input.limits }
  const ref = { sync: definition.sync, stream: stream.name, run, ...(input.backfill === undefined ? {} : { backfill: input.backfill }) }
  const claim = await warehouse.slices.claim({ ...ref, key, owner: input.owner, attemptAt: input.attemptAt })
  if (claim.isFinished) return { counts: claim.counts, ...(claim.isHalved ? { halved: true } : {}) }
  if (claim.idleClaims > limits.idleClaims) throw givenUp(claim)
  const meter = createMeter(input.http)
  try {
    return await readAndLoad(input, claim, limits, meter)
  } catch (error) {
    const failure = asFailure(error)
    if (failure.reason === 'throttled' && failure.where.waitUntil !== undefined) {
      const { waitUntil, waitsFor = 'quota' } = failure.where
      await release(input, claim, meter.take(), { until: waitUntil, for: waitsFor })
      return { counts: claim.counts, more: true, waitUntil, waitsFor }
    }
    const halves = failure.reason === 'too_large' ? halvesFor(stream, claim.slice) : undefined
    if (halves) {
      await warehouse.slices.halve(claim, halves)
      return { counts: claim.counts, halved: true }
    }
    const letter = letterFor(failure, claim)
    if (letter) {
      await warehouse.slices.setAside(claim, letter, failure.reason === 'permission' ? 'refused' : 'dead_letter')
      return { counts: claim.counts }
    }
    if (!failure.isFinal) await noteQuietly(warehouse, claim, failure)
    throw error
  }
}

function halvesFor(stream: Stream, slice: Slice): [Slice, Slice] | undefined {
  const slicing = stream.passes.find(({ name }) => name === slice.pass)?.slicing
  if (slicing?.by !== 'time' || slicing.smallestMs === undefined) return undefined
  return halvesOf(slice, slicing.wholeDays ? 'days' : 'seconds', slicing.smallestMs)
}

/**
 * What a slice is set aside with, where its failure stops it alone; undefined where it stops more. A parent that is closed to us has one
 * letter, however many of its slices were refused.
 */
function letterFor({ reason, message }: Failure, { slice, key, backfill }: Claim): Letter | undefined {
  const letter = { kind: 'slice', reason, message, recordKey: key, payload: JSON.stringify(slice) } as const
  if (reason === 'permanent') return letter
  if (reason === 'too_large')
    return { ...letter, message: `${message} The slice cannot be cut smaller: ask for fewer fields, or for less in the stream’s settings.` }
  if (reason !== 'permission' || slice.parent === undefined) return undefined
  const next = backfill === undefined ? 'the next run' : `weir backfill resume ${backfill}`
  const advice = `Grant access to ${slice.parent}, or leave it out; ${next} reads what is missing.`
  return { ...letter, recordKey: `${slice.pass}/${slice.parent}`, message: `${message} ${advice}` }
}

/** The wait is the workflow's from here, a timer; it counts among the run's waits. */
async function release({ warehouse, clock }: SyncSliceInput, claim: Claim, used: Used, wait: Wait): Promise<void> {
  const timerMs = Math.max(0, Date.parse(wait.until) - clock.now().getTime())
  await warehouse.slices.release(claim, { ...used, waits: used.waits + 1, waitedMs: used.waitedMs + timerMs }, wait)
}

/** What a client has used since it was asked last: each part goes into the counts once. */
interface Meter {
  take: () => Used
}
function createMeter(http: Http): Meter {
  const look = (): Used => ({ ...http.used, spent: { ...http.used.spent } })
  let before = look()
  return {
    take() {
      const now = look()
      const used = usedSince(before, now)
      before = now
      return used
    },
  }
}

/** The note is for the message of a later attempt; where the warehouse itself is gone it cannot be written, and the failure matters more. */
async function noteQuietly(warehouse: Warehouse, claim: Claim, failure: FailureNote): Promise<void> {
  await warehouse.slices.note(claim, { reason: failure.reason, message: failure.message }).catch(() => undefined)
}

function givenUp(claim: Claim): Failure {
  const last = claim.lastFailure ?? 'the worker was lost each time'
  const message = `Slice ${claim.key} of ${claim.sync}/${claim.stream} made no progress in ${claim.idleClaims - 1} attempts (last: ${last}). The next run tries again.`
  return new Failure('transient', message, { sync: claim.sync, stream: claim.stream, slice: claim.key }, { isFinal: true })
}

async function readAndLoad(input: SyncSliceInput, claim: Claim, limits: Limits, meter: Meter): Promise<SliceEnd> {
  const { warehouse, stream, definition, http, clock, trace = noTrace } = input
  const startedAt = clock.now().getTime()
  // Workers' clocks differ: when a row was read is told by the warehouse's, which read `claimedAt` a moment ago.
  const aheadMs = claim.claimedAt.getTime() - startedAt
  // A backfill reads beside the live sync: of what both met the live sync's stands, where the backfill's is no newer.
  const now = () => (claim.backfill === undefined ? new Date(clock.now().getTime() + aheadMs) : claim.claimedAt)
  const typer: Typer = await openTyper(
    warehouse,
    claim,
    await knownTableSpec(warehouse, definition, stream),
    stream,
    policyOf(definition, stream),
  )
  const pass = stream.passes.find(({ name }) => name === claim.slice.pass)
  if (!pass)
    throw new Failure(
      'config',
      `Stream ${stream.name} has no pass ${claim.slice.pass} any more. Reset its state: weir state reset ${definition.sync} --stream ${stream.name}`,
    )

  const { encrypt = false } = deadLettersOf(definition, stream.name)
  let counts = claim.counts
  let committing: Promise<void> = Promise.resolve()
  let position: { resume?: Resume | undefined; reached?: string | undefined } = { resume: claim.resume, reached: claim.reached }
  let batch = new Batch(typer, claim.run, position, clock.now())

  /** Hands the batch over once the one before it has landed, and starts the next. */
  const close = async (isLast: boolean): Promise<void> => {
    await committing
    const full = batch
    const spent = meter.take()
    batch = new Batch(typer, claim.run, position, clock.now())
    const since = performance.now()
    const commit = { ...full.commit(claim, spent, isLast), encrypt }
    const load = () => warehouse.slices.commit(commit)
    committing = trace('load', { rows: commit.rows, bytes: full.bytes, deadLetters: commit.letters.length }, load).then((sums) => {
      full.release()
      input.onCommit?.(difference(sums, counts), performance.now() - since)
      counts = sums
      claim.counts = sums
      checkThreshold(definition, stream, counts)
      input.onProgress(counts, full.position.reached)
    })
    // Failures surface where the next batch, or the end, awaits it.
    committing.catch(() => undefined)
  }

  const { slice, resume, reached } = claim
  const pages = pass.read({ http, slice, resume, reached, fields: typer.spec.fields, now })
  try {
    for await (const page of pages) {
      input.signal.throwIfAborted()
      await batch.add(page.records, stream, (page.readAt ?? now()).toISOString())
      position = { resume: page.resume, reached: batch.reached }
      batch.position = position
      input.onProgress(counts, position.reached)
      const at = clock.now().getTime()
      if (page.isDurable && page.resume !== undefined) {
        await close(false)
        await committing
      } else if (batch.bytes >= limits.batchBytes || at - batch.openedAt.getTime() >= limits.batchAgeMs) await close(false)
      if (at - startedAt >= limits.workMs && page.resume !== undefined) {
        await close(false)
        await committing
        return { counts, more: true }
      }
    }
  } catch (error) {
    // What is complete is kept: the pages before the one that failed.
    if (batch.pages > 0 && asFailure(error).reason !== 'fenced') await close(false)
    await committing
    throw error
  }
  await typer.finish()
  await close(true)
  await committing
  return { counts }
}

/** Too many dead letters stop the stream at once; a share of them is judged when the stream ends. */
function checkThreshold(definition: Definition, stream: Stream, counts: Counts): void {
  const { sync } = definition
  const { maxRows } = deadLettersOf(definition, stream.name)
  if (counts.deadLetters <= maxRows) return
  throw new Failure(
    'threshold',
    `${counts.deadLetters} dead letters in ${sync}/${stream.name}, ${maxRows} are allowed (dead_letters.max_rows). Look at them: weir dlq list ${sync} --stream ${stream.name}`,
    { sync, stream: stream.name },
  )
}
