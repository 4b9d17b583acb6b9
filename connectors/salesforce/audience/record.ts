/** Members as records of an object. */
import { type Outcome, type Outgoing, refused, type Target } from '../../../src/core/audience.js'
import { Failure } from '../../../src/core/failure.js'
import type { Http, Rec, Value } from '../../../src/core/types.js'
import { save } from './collections.js'
import type { Forms, FoundBy } from './describe.js'
import type { RowResult } from './rows.js'

/** What the calls need to know of the object. */
export interface Shape extends Forms {
  match: string
  by: FoundBy
}
export const shapeOf = (target: Target): Shape => target.with as unknown as Shape

export function upsert(http: Http, target: Target, members: readonly Outgoing[]): Promise<Map<string, RowResult>> {
  const shape = shapeOf(target)
  // Bulk jobs name no assignment rule, so none is run here either: it would hand people to owners, and mail them.
  const call = {
    method: 'PATCH',
    path: `/composite/sobjects/${target.id}/${shape.match}`,
    headers: { 'sforce-auto-assign': 'FALSE' },
  } as const
  return save(http, call, new Map(members.map((member) => [member.ref, { attributes: { type: target.id }, ...recordOf(shape, member) }])))
}

/** Keys are compared without case. */
export const folded = (key: string): string => key.toLowerCase()
export const keyOf = ({ by }: Shape, { identifiers }: Outgoing): string | undefined => identifiers[by]

/** A key that stands twice in one request is refused in each of its rows: of those that share one, the last is sent. */
export function distinct(target: Target, members: readonly Outgoing[]): { rows: Outgoing[]; outcomes: Outcome[] } {
  const shape = shapeOf(target)
  const outcomes: Outcome[] = []
  const rows = new Map<string, Outgoing>()
  for (const member of members) {
    const key = keyOf(shape, member)
    if (key === undefined) {
      outcomes.push(refused(member.ref, `It has no identity.${shape.by}, which fills ${target.name}.${shape.match}.`))
      continue
    }
    const before = rows.get(folded(key))
    if (before) outcomes.push({ ...refused(before.ref, `Another member has the same ${shape.match}, and was sent.`), isFinal: true })
    rows.set(folded(key), member)
  }
  if (rows.size === 0 && members.length > 1)
    throw new Failure('config', `Nobody of ${members.length} has an identity.${shape.by}, which fills ${target.name}.${shape.match}.`)
  return { rows: [...rows.values()], outcomes }
}

/** A record as JSON; fields of parents lie within. Null empties a field; of a parent it is left out, as nothing says which one. */
export function recordOf(shape: Shape, member: Outgoing): Rec {
  const record: Rec = { [shape.match]: keyOf(shape, member) }
  for (const [name, value] of Object.entries(member.fields)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const parent = Object.entries(value).filter(([, one]) => one !== null && one !== undefined && one !== '')
      if (parent.length > 0) record[name] = Object.fromEntries(parent)
    } else record[name] = formed(value, shape.instants.includes(name))
  }
  return record
}

/** Several choices are one text; instants end in Z, which Bulk asks for. */
function formed(value: Value, isInstant: boolean): Value {
  if (Array.isArray(value)) return value.map(String).join(';')
  if (value === undefined || value === '') return null
  const hasZone = isInstant && typeof value === 'string' && /T.*[+-]\d\d(:?\d\d)?$/.test(value)
  return hasZone && Number.isFinite(Date.parse(value)) ? new Date(value).toISOString() : value
}
