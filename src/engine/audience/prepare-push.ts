import type { AudienceDefinition, Destination, Target } from '../../core/audience.js'
import type { ConnectionDefinition } from '../../core/definition.js'
import { asFailure } from '../../core/failure.js'
import type { PreparedReceipt, PushStep } from '../../core/push.js'
import type { Http } from '../../core/types.js'
import type { Mark } from '../../identity/marks.js'
import type { Prepared, PrepareInput, SampledChange } from '../../warehouse/contract/audiences.js'
import type { Warehouse } from '../../warehouse/driver.js'
import { encoder } from './encode.js'
import { fitnessOf } from './fitness.js'
import { judge, type Moved, type Verdict } from './gates.js'

/** One destination of an audience with its vendor's client. */
export interface Reached {
  destination: Destination
  http: Http
}

export interface PreparePushInput {
  warehouse: Warehouse
  definition: AudienceDefinition
  /** The vendor's destination of that kind; no request is made yet. */
  reach: (connection: ConnectionDefinition, kind: string) => Promise<Reached>
  mark: Mark
  now: Date
  onProgress: (people: number) => void
}

/**
 * Opens the destinations, freezes what would change, and judges it. A destination that cannot be opened takes no part; the others do.
 * A repeat answers with the same change set.
 */
export async function preparePush(input: PreparePushInput & { step: PushStep }): Promise<PreparedReceipt> {
  const { warehouse, definition, step, reach } = input
  const { run, audience } = step
  await warehouse.audiences.begin(step)
  const opened = await openAll(definition, reach, (name, target) => warehouse.audiences.target(run, name, target))
  const prepared = await warehouse.audiences.prepare({ run, definition, ...comparing(definition, opened.reached, input) })
  const fitness = await fitnessOf({ warehouse, definition, now: input.now, run })
  const verdict = judge(definition, prepared, await lastGood(warehouse, audience, run), fitness, opened.moved)
  const { reasons, notes } = verdict
  await warehouse.audiences.setStatus(run, reasons.length > 0 ? 'waiting' : 'pushing', { verdict: reasons, notes })
  return {
    changeSet: prepared.changeSet,
    people: prepared.people,
    destinations: Object.fromEntries(
      Object.entries(prepared.destinations).map(([name, { add, update, remove, owed, unchanged }]) => [
        name,
        { add, update, remove, owed, unchanged },
      ]),
    ),
    failures: opened.failures,
    reasons,
    owed: verdict.owed,
    otherwise: verdict.otherwise,
    approvers: [...verdict.approvers],
    expiresMs: definition.approval.expiresMs,
  }
}

/** What a push would do, and whether its gates let it: for people. Nothing is sent, and no vendor is asked. */
export interface PushPreview extends Prepared {
  sample: Record<string, readonly SampledChange[]>
  verdict: Verdict
  /** Requests that each destination would take, at its batch size. */
  requests: Record<string, number>
}

export async function previewPush(input: PreparePushInput): Promise<PushPreview> {
  const { warehouse, definition, reach } = input
  const reached: Record<string, Reached> = {}
  for (const [name, { connection, kind }] of Object.entries(definition.destinations)) reached[name] = await reach(connection, kind)
  const prepared = await warehouse.audiences.preview({ definition, ...comparing(definition, reached, input) })
  const requests = Object.entries(prepared.destinations).map(([name, { add, update, remove }]) => {
    const { batch } = reached[name]!.destination
    return [name, [add, update, remove].reduce((sum, members) => sum + Math.ceil(members / batch), 0)] as const
  })
  const fitness = await fitnessOf({ warehouse, definition, now: input.now })
  const verdict = judge(definition, prepared, await lastGood(warehouse, definition.audience), fitness)
  return { ...prepared, verdict, requests: Object.fromEntries(requests) }
}

/** What the last push that ended well found. */
async function lastGood(warehouse: Warehouse, audience: string, except?: string): Promise<Prepared | undefined> {
  const runs = await warehouse.audiences.runs({ audience, status: ['completed', 'completed_with_rejections'], limit: 2 })
  return runs.find(({ run }) => run !== except)?.prepared
}

/** What the comparison needs to be told of the destinations. */
function comparing(
  definition: AudienceDefinition,
  reached: Readonly<Record<string, Reached>>,
  { mark, onProgress }: Pick<PreparePushInput, 'mark' | 'onProgress'>,
): Pick<PrepareInput, 'destinations' | 'encode' | 'onProgress'> {
  const encoders = Object.fromEntries(
    Object.entries(reached).map(([name, { destination }]) => [name, encoder(definition, name, destination, mark)]),
  )
  return {
    destinations: Object.fromEntries(
      Object.entries(reached).map(([name, { destination }]) => [
        name,
        { renewAfterMs: destination.renewAfterMs, canRemove: destination.remove !== undefined },
      ]),
    ),
    encode: (name, people) => encoders[name]!(people),
    onProgress,
  }
}

/** Who could be reached, and what stood in the way of the others. */
async function openAll(
  definition: AudienceDefinition,
  reach: PreparePushInput['reach'],
  keep: (name: string, target: Target) => Promise<Target | undefined>,
) {
  const reached: Record<string, Reached> = {}
  const failures: PreparedReceipt['failures'] = {}
  const moved: Record<string, Moved[string]> = {}
  for (const [name, wanted] of Object.entries(definition.destinations)) {
    const one = await reach(wanted.connection, wanted.kind)
    reached[name] = one
    try {
      const target = await one.destination.open(one.http, wanted)
      const before = await keep(name, target)
      if (before) moved[name] = { from: before, to: target }
      const { renewAfterMs } = target
      if (renewAfterMs !== undefined) reached[name] = { ...one, destination: { ...one.destination, renewAfterMs } }
    } catch (error) {
      const failure = asFailure(error)
      if (!failure.isFinal) throw error
      failures[name] = { reason: failure.reason, message: failure.message }
    }
  }
  return { reached, failures, moved }
}
