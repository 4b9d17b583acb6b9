import type { AudienceDefinition, Bound, ChangeCounts, Target } from '../../core/audience.js'
import type { Prepared } from '../../warehouse/contract/audiences.js'
import type { Fitness } from './fitness.js'

export interface Verdict {
  /** Why the push waits; empty when it may go. */
  reasons: string[]
  /** What is worth knowing, though it holds nothing. */
  notes: string[]
  /** Removals go out all the same, where a person is owed them. */
  owed: number
  /** Only these may say yes; empty: anybody but who asked for the push. */
  approvers: readonly string[]
  otherwise: 'ask' | 'hold' | 'fail'
}

/** Destinations that stand for another list than at the last push that ended well. */
export type Moved = Readonly<Record<string, { from: Target; to: Target }>>

/**
 * May a change set go out? Bounds are of what a destination holds now; a first push has nothing to be measured against but its size.
 * What is not fit to go out is held, and nobody is asked: a person cannot make old data new.
 * @param before what the last push that ended well found, if there was one
 */
export function judge(
  definition: AudienceDefinition,
  now: Prepared,
  before: Prepared | undefined,
  { holds, notes }: Fitness,
  moved: Moved = {},
): Verdict {
  const { gates, approval, consent, suppress } = definition
  const exceeded: string[] = []
  for (const [name, counts] of Object.entries(now.destinations)) exceeded.push(...bounds(definition, now, name, counts))
  for (const [name, { from, to }] of Object.entries(moved))
    exceeded.push(`${name} is another list than at the last push: ${named(to)}, and was ${named(from)}; who is on that one stays there`)
  if (consent && now.rows > 0 && now.people === 0 && (now.excluded.consent_unknown ?? 0) > 0)
    exceeded.push(`nobody has consented any more: is ${consent.column} of model ${definition.model.name} still filled?`)
  for (const { model } of suppress)
    if ((before?.suppressed[model.name] ?? 0) > 0 && now.suppressed[model.name] === 0)
      exceeded.push(`suppression ${model.name} is empty, and held ${before?.suppressed[model.name]} people before`)
  const isFirst = before === undefined
  const wants = (cause: (typeof approval.when)[number]) => approval.when.includes(cause)
  const asked = [
    ...(wants('always') ? ['every push of it is approved'] : []),
    ...(wants('first_run') && isFirst ? ['it is the first push'] : []),
  ]
  const owed = Object.values(now.destinations).reduce((sum, counts) => sum + counts.owed, 0)
  const isEmpty = Object.values(now.destinations).every(({ add, update, remove }) => add + update + remove === 0)
  const outside = exceeded.length > 0 ? gates.otherwise : 'ask'
  return {
    reasons: [...holds, ...exceeded, ...(isEmpty && exceeded.length === 0 ? [] : asked)],
    notes,
    owed,
    approvers: approval.by,
    otherwise: holds.length > 0 && outside !== 'fail' ? 'hold' : outside,
  }
}

function bounds(
  { gates, destinations }: AudienceDefinition,
  now: Prepared,
  name: string,
  counts: Prepared['destinations'][string],
): string[] {
  const { mode } = destinations[name]!
  const reasons: string[] = []
  const { add, remove, held } = movements(counts)
  const excluded = Object.values(counts.excluded).reduce((sum, people) => sum + people, 0)
  const size = now.people - excluded
  if (size < gates.minSize && mode !== 'remove')
    reasons.push(`${name} would hold ${size} people, at least ${gates.minSize} are wanted (min_size)`)
  if (gates.maxAdd && held > 0 && isBeyond(add, held, gates.maxAdd))
    reasons.push(`${name} would gain ${add} on ${held} people, ${wordOf(gates.maxAdd)} are allowed (max_add)`)
  if (gates.maxRemove && held > 0 && isBeyond(remove, held, gates.maxRemove))
    reasons.push(`${name} would lose ${remove} of ${held} people, ${wordOf(gates.maxRemove)} are allowed (max_remove)`)
  return reasons
}

/** What counts against the bounds: no new address of the same person, and no removal that is owed. */
function movements({ add, remove, owed, held, causes }: ChangeCounts & { causes: Partial<Record<string, number>> }) {
  const readdressed = (causes.readdressed ?? 0) / 2
  const renewed = causes.renewed ?? 0
  return { add: add - readdressed - renewed, remove: remove - readdressed - owed, held }
}

const named = ({ id, name }: Target) => `${JSON.stringify(name)} (${id})`
const isBeyond = (people: number, held: number, bound: Bound) =>
  'people' in bound ? people > bound.people : (100 * people) / held > bound.percent
const wordOf = (bound: Bound) => ('people' in bound ? `${bound.people}` : `${bound.percent} %`)
