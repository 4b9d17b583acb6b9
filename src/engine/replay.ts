import type { FinishReplayInput, ReplayPart, ReplayPartInput, ReplayReceipt, RunStatus } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { asFailure } from '../core/failure.js'
import type { Clock } from '../core/ports.js'
import { noCounts, nothingUsed } from '../core/receipt.js'
import type { Rec, Slice, Stream } from '../core/types.js'
import { parseJson } from '../http/json.js'
import type { Claim, LetterRef, OpenLetter, ReplayOutcome, Warehouse } from '../warehouse/driver.js'
import { Batch } from './batch.js'
import { knownTableSpec, modeOf } from './table-spec.js'
import { openTyper, policyOf, type Typer } from './typer.js'

export interface ReplayInput extends Pick<ReplayPartInput, 'run' | 'filter' | 'after' | 'limit'> {
  warehouse: Warehouse
  clock: Clock
  definition: Definition
  stream: Stream
  signal: AbortSignal
  onProgress: (tried: number) => void
  limits?: Partial<typeof defaults>
}

/** Letters taken at once, and how long before the rest is left to another call. */
const defaults = { letters: 500, workMs: 5 * 60_000 }

/**
 * Loads open letters again by the definition of today, on the way that a sync takes: typed, new columns by policy, loaded, split
 * until what fails is alone. Each letter is closed with its effect, so a repeat, or a kill in the middle, doubles nothing. Slices
 * are opened again instead, for the next run of the stream; and where a stream is replaced as a whole it must be read again.
 * @throws Failure `config` where letters are sealed with another key: before any of them is touched
 */
export async function replayLetters(input: ReplayInput): Promise<ReplayPart> {
  const { warehouse, clock, definition, stream, run, filter } = input
  const ref = { sync: definition.sync, stream: stream.name, run }
  const mode = modeOf(definition, stream)
  if (mode === 'replace' || mode === 'replace_slice') {
    const found = await warehouse.letters.count({ ...filter, sync: ref.sync, stream: ref.stream, status: 'open' })
    return { tried: 0, more: false, readAgain: found.length > 0 }
  }
  const limits = { ...defaults, ...input.limits }
  const limit = input.limit ?? Number.POSITIVE_INFINITY
  const until = clock.now().getTime() + limits.workMs
  let typer: Typer | undefined
  let tried = 0
  let readAgain = false
  let after = input.after
  while (tried < limit) {
    input.signal.throwIfAborted()
    const letters = await warehouse.letters.open(ref, filter, { after, limit: Math.min(limits.letters, limit - tried) })
    const last = letters.at(-1)
    if (!last) break
    const records = letters.filter(({ kind }) => kind !== 'slice')
    if (records.length > 0) {
      typer ??= await openTyper(warehouse, ref, await knownTableSpec(warehouse, definition, stream), stream, policyOf(definition, stream))
      await load(input, typer, records)
    }
    const slices = letters.filter(({ kind }) => kind === 'slice')
    if (slices.length > 0 && (await reopen(input, slices)) > 0) readAgain = true
    after = last.id
    tried += letters.length
    input.onProgress(tried)
    if (clock.now().getTime() >= until) return { tried, after, more: true, readAgain }
  }
  return { tried, ...(after === undefined ? {} : { after }), more: false, readAgain }
}

/** What a letter holds is flat already; the policy of today is laid over it once more. */
const asRead = (stream: Stream): Stream => ({ ...stream, record: stream.policy?.record ?? ((record: Rec) => record) })

async function load(
  { warehouse, clock, definition, stream, run }: ReplayInput,
  typer: Typer,
  letters: readonly OpenLetter[],
): Promise<void> {
  const ref = { sync: definition.sync, stream: stream.name, run }
  const batch = new Batch(typer, run, {}, clock.now())
  const typed: OpenLetter[] = []
  const refused: OpenLetter[] = []
  const failed: (LetterRef & { message: string })[] = []
  for (const letter of letters) {
    let record: Rec
    try {
      record = parseJson(letter.payload) as Rec
    } catch (error) {
      failed.push({ id: letter.id, version: letter.version, message: asFailure(error).message })
      continue
    }
    const before = batch.size
    await batch.add([record], letter.isRaw ? stream : asRead(stream), letter.seenAt)
    if (batch.size > before) typed.push(letter)
    else refused.push(letter)
  }
  const commit = batch.commit(claimOf(ref, clock.now()), nothingUsed(), true)
  // Letters of the batch come in the order in which their records were added.
  for (const [i, { id, version }] of refused.entries()) failed.push({ id, version, message: commit.letters[i]!.message })
  await warehouse.letters.failAgain(ref, failed)
  await warehouse.letters.replay(commit, typed)
}

/** A replay reads no slice: what loading needs of a claim is whose rows they are. */
const claimOf = (ref: { sync: string; stream: string; run: string }, claimedAt: Date): Claim => ({
  ...ref,
  key: 'replay',
  slice: { pass: 'replay' },
  epoch: 0,
  claimedAt,
  isFinished: false,
  counts: noCounts(),
  idleClaims: 0,
})

/** Answers with how many were opened. One of a way of reading that the stream no longer has would stop every run. */
async function reopen({ warehouse, definition, stream, run }: ReplayInput, letters: readonly OpenLetter[]): Promise<number> {
  const ref = { sync: definition.sync, stream: stream.name, run }
  let opened = 0
  for (const letter of letters) {
    const slice = JSON.parse(letter.payload) as Slice
    if (stream.passes.some(({ name }) => name === slice.pass)) {
      await warehouse.letters.reopen(ref, letter, slice)
      opened++
    } else {
      const message = `Stream ${stream.name} has no pass ${slice.pass} any more: read it again (weir sync ${ref.sync} --stream ${stream.name} --full), or discard the letter.`
      await warehouse.letters.failAgain(ref, [{ ...letter, message }])
    }
  }
  return opened
}

/** Letters that are reported one by one. */
const reported = 10_000

/** What the CLI shows of a replay; handed over in a row that is deleted when read, since keys may be a person's. */
export interface ReplayReport {
  letters: ReplayOutcome[]
  isCut: boolean
}

/** Ends a replay's run: counts of what it did, also by attempts that were killed, and the outcome of each letter. */
export async function finishReplay(
  warehouse: Warehouse,
  { sync, stream, run, readAgain, failure, cancelled }: FinishReplayInput,
): Promise<ReplayReceipt> {
  const { counts, letters } = await warehouse.letters.outcomes({ sync, stream, run }, reported)
  const { loaded, unchanged, failed, reopened } = counts
  const read = loaded + unchanged + failed
  const status: RunStatus = cancelled ? 'cancelled' : failure ? 'failed' : failed > 0 ? 'completed_with_dead_letters' : 'completed'
  await warehouse.runs.finish(run, status, { ...noCounts(), read, loaded, unchanged, deadLetters: failed }, failure)
  const report: ReplayReport = { letters, isCut: read + reopened > letters.length }
  return { ...counts, readAgain, handover: await warehouse.handovers.put(report) }
}
