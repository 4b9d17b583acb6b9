import type { ColumnAction, ColumnActions } from '../core/definition.js'
import { ExactNumber, type Fields, type Rec, type Value } from '../core/types.js'
import type { Hasher } from './hash.js'
import { mask } from './mask.js'

/** What a policy makes of a stream's records and fields. Both may be applied again to what they gave: nothing changes. */
export interface Policy {
  record: (record: Rec) => Rec
  fields: (fields: Fields) => Fields
}

/** From a value to what takes its place; undefined leaves the field out. */
type Change = (value: Value) => Value

/** @param hasher needed where an action is `hash` */
export function compilePolicy(columns: ColumnActions, hasher: Pick<Hasher, 'hash'> | undefined): Policy {
  const changes: Record<ColumnAction, Change> = {
    drop: () => undefined,
    hash: (value) => {
      if (!hasher) throw new TypeError('a policy that hashes needs a hasher')
      return hasher.hash(value)
    },
    mask,
  }
  // What lies deeper comes first: a whole field is hashed as its parts left it.
  const rules = Object.entries(columns)
    .map(([name, action]) => ({ steps: name.split('.'), change: changes[action] }))
    .sort((a, b) => b.steps.length - a.steps.length)
  return {
    record: (record) => rules.reduce<Rec>((changed, { steps, change }) => within(changed, steps, change), record),
    fields: (fields) =>
      Object.fromEntries(
        Object.entries(fields).flatMap(([name, field]) => {
          const action = Object.hasOwn(columns, name) ? columns[name] : undefined
          if (action === 'drop') return []
          return [[name, action === undefined ? field : { ...field, type: 'text' as const }]]
        }),
      ),
  }
}

/** `value` with the change at `steps` in it, copied only where something changes. A vendor's name may hold dots itself: each way to read the path is taken. */
function within<T extends Value>(value: T, steps: readonly string[], change: Change): T {
  if (Array.isArray(value)) return value.map((item) => within(item, steps, change)) as T
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  let copy: Rec | undefined
  for (let taken = 1; taken <= steps.length; taken++) {
    const name = steps.slice(0, taken).join('.')
    if (!Object.hasOwn(value, name)) continue
    copy ??= { ...(value as Rec) }
    const inner = copy[name]
    const next = taken === steps.length ? change(inner) : within(inner, steps.slice(taken), change)
    if (next === undefined) delete copy[name]
    else copy[name] = next
  }
  return (copy as T | undefined) ?? value
}
