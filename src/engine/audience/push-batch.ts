import {
  type Answer,
  type AudienceDefinition,
  type ChangeAction,
  type Destination,
  type IdentifierKind,
  type IdentifierRule,
  type Job,
  type Outcome,
  type Outgoing,
  refused,
  type Target,
  unnamedOf,
  usualLanes,
} from '../../core/audience.js'
import { asFailure, Failure } from '../../core/failure.js'
import type { Http } from '../../core/types.js'
import type { Pending, PushBatch } from '../../warehouse/contract/audiences.js'
import type { Warehouse } from '../../warehouse/driver.js'

export interface PushBatchInput {
  warehouse: Warehouse
  http: Http
  definition: AudienceDefinition
  name: string
  destination: Destination
  target: Target
  run: string
  /** Only removals that no gate holds. */
  isOwedOnly: boolean
}

export interface BatchEnd {
  /** Members that left with it; 0 when there was nothing left to send. */
  members: number
  /** The vendor is still at work: ask again after so long. */
  askAgainMs?: number
}

/** A refused member is tried again by so many pushes; then it waits until its row changes. */
const attempts = 5
/** After so many members refused for one reason, and none taken, the reason is not the members. */
const alike = 10

/**
 * Sends the next batches of a destination, side by side, or asks how those stand that the vendor works on. What was claimed and not settled, since a
 * worker died, is sent again as it was: adding and removing are repeatable. What one batch comes to is noted, whatever becomes of the others.
 */
export async function pushBatches(input: PushBatchInput): Promise<BatchEnd> {
  const { warehouse, definition, name, destination, run, isOwedOnly } = input
  const { batch: size, lanes = usualLanes } = destination
  const batches = await warehouse.audiences.claim({ run, destination: name, definition, size, lanes, isOwedOnly })
  const ends = await Promise.allSettled(batches.map((batch) => pushOne(input, batch)))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  const reached = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const waits = reached.flatMap(({ askAgainMs }) => askAgainMs ?? [])
  return {
    members: reached.reduce((sum, { members }) => sum + members, 0),
    ...(waits.length > 0 ? { askAgainMs: Math.max(...waits) } : {}),
  }
}

/** A batch that is refused whole is halved until those who are meant are found. */
async function pushOne(input: PushBatchInput, batch: PushBatch): Promise<BatchEnd> {
  const { warehouse, name, destination, run } = input
  const known = batch.pending ? await ask(input, batch, batch.pending) : await sendAll(input, batch.action, batch.members)
  if (known.jobs.length > 0) {
    await warehouse.audiences.await(batch, known)
    return { members: 0, askAgainMs: Math.max(...known.jobs.map(({ askAgainMs }) => askAgainMs)) }
  }
  const kinds = Object.entries(destination.identifiers) as [IdentifierKind, IdentifierRule][]
  const keeps = kinds.filter(([, { hash, isKept }]) => hash || isKept).map(([kind]) => kind)
  const { outcomes, unnamed } = known
  await warehouse.audiences.settle({ run, destination: name, batch }, outcomes, { names: destination.names, attempts, keeps, unnamed })
  return { members: batch.members.length }
}

/** One that is done says again what it said before, so that nothing is kept between two questions but the jobs' names. */
async function ask({ http, destination, target }: PushBatchInput, { members, action }: PushBatch, pending: Pending): Promise<Pending> {
  const answers: Answer[] = []
  for (const job of pending.jobs) {
    if (!destination.poll) throw new Failure('bug', `${destination.kind} has given a job for ${action} and cannot ask about it.`)
    answers.push(await destination.poll(http, target, job, action, partOf(job, members)))
  }
  const open = answers.flatMap(({ job }) => (job ? [job] : []))
  if (open.length > 0) return { ...pending, jobs: pending.jobs.map((job) => ({ ...job, ...open.find(({ id }) => id === job.id) })) }
  const all = [pending, ...answers]
  return { jobs: [], outcomes: all.flatMap(({ outcomes }) => outcomes), ...unnamedOf(all) }
}

/** Members of a job: of a batch that was halved each part may have its own. */
function partOf({ part }: Job, members: readonly Outgoing[]): readonly Outgoing[] {
  if (!part) return members
  const place = (wanted: string) => members.findIndex(({ ref }) => ref === wanted)
  return members.slice(place(part.from), place(part.to) + 1)
}

async function sendAll(input: PushBatchInput, action: ChangeAction, members: readonly Outgoing[]): Promise<Pending> {
  const { http, target, destination } = input
  if (action !== 'remove') return bisected(input, members, (some) => destination.add(http, target, some))
  const { remove } = destination
  if (!remove) return { jobs: [], outcomes: [] }
  const isKnown = ({ identifiers, vendorId }: Outgoing) => vendorId !== undefined || Object.keys(identifiers).length > 0
  const known = members.filter(isKnown)
  const sent = known.length === 0 ? { jobs: [], outcomes: [] } : await bisected(input, known, (some) => remove(http, target, some))
  const lost = members.filter((member) => !isKnown(member)).map(({ ref }) => refused(ref, nothingKnown))
  return { ...sent, outcomes: [...sent.outcomes, ...lost] }
}

const nothingKnown = 'Nothing is known of this member that it could be removed by.'

/** Which members of a batch that was refused whole are meant; the others go through. */
async function bisected(
  { definition, name }: PushBatchInput,
  members: readonly Outgoing[],
  send: (members: readonly Outgoing[]) => Promise<Answer>,
): Promise<Pending> {
  const alone: Outcome[] = []
  const answers: Answer[] = []
  const work = [members]
  for (let some = work.pop(); some !== undefined; some = work.pop()) {
    try {
      const { job, ...answer } = await send(some)
      answers.push({ ...answer, ...(job ? { job: { ...job, part: { from: some[0]!.ref, to: some.at(-1)!.ref } } } : {}) })
    } catch (error) {
      const { reason, message } = asFailure(error)
      if (reason !== 'record' && reason !== 'permanent' && reason !== 'too_large') throw error
      if (some.length > 1) {
        const middle = Math.ceil(some.length / 2)
        work.push(some.slice(middle), some.slice(0, middle))
        continue
      }
      alone.push(refused(some[0]!.ref, message))
      if (answers.length === 0 && members.length > 1 && alone.length >= Math.min(alike, members.length) && areAlike(alone))
        throw new Failure(
          'config',
          `Audience ${definition.audience}, ${name}: the first ${alone.length} members were all refused alike, so it is not they who are wrong: ${message} Look at the destination's mapping.`,
        )
    }
  }
  return {
    jobs: answers.flatMap(({ job }) => (job ? [job] : [])),
    outcomes: [...answers.flatMap(({ outcomes }) => outcomes), ...alone],
    ...unnamedOf(answers),
  }
}

const areAlike = (refused: readonly Outcome[]): boolean =>
  new Set(refused.map((one) => ('refused' in one ? one.refused.message : ''))).size === 1
