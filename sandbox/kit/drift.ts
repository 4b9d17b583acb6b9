/** Changes of shape on request: what vendors do to their records without asking. They work on what is shown, not on what is kept. */
import { place, roll } from '../company/dice.js'

export type DriftChange =
  /** A key that was not there. */
  | { change: 'add'; value: unknown }
  /** The same key, other type; `json` wraps the value in an object. */
  | { change: 'retype'; to: 'string' | 'number' | 'boolean' | 'json' | 'array' | 'null' }
  | { change: 'remove' }
  /** The value moves to another key of the same object. */
  | { change: 'rename'; to: string }

export type DriftRule = DriftChange & {
  vendor: string
  /** Klaviyo's resource type (`profile`) or HubSpot's object type (`contacts`). */
  of: string
  /** Path below `attributes` (Klaviyo) or a property's name (HubSpot); dots part the steps, or a list gives them. */
  key: string | string[]
  /** Share of the records that are touched, the same ones each time; 1 when not given. */
  share?: number
}

type Json = Record<string, unknown>

export class Drift {
  private rules: (DriftRule & { id: number })[] = []
  private lastId = 0
  /** Vendors that keep definitions or indexes of their fields listen here. */
  private listeners: ((rule: DriftRule) => void)[] = []

  add(rule: DriftRule): number {
    this.rules.push({ ...rule, id: ++this.lastId })
    for (const listen of this.listeners) listen(rule)
    return this.lastId
  }

  clear(): void {
    this.rules = []
  }

  list(): readonly Readonly<DriftRule & { id: number }>[] {
    return this.rules
  }

  onAdd(listen: (rule: DriftRule) => void): void {
    this.listeners.push(listen)
  }

  /** The record as it is now shown. The given object may be changed; it must belong to the caller. */
  apply(vendor: string, of: string, id: string, record: Json): Json {
    for (const rule of this.rules) {
      if (rule.vendor !== vendor || rule.of !== of) continue
      if (rule.share !== undefined && roll(1, place(String(rule.key)), place(id)) >= rule.share) continue
      edit(record, typeof rule.key === 'string' ? rule.key.split('.') : rule.key, rule)
    }
    return record
  }
}

function edit(record: Json, path: string[], rule: DriftChange): void {
  let at = record
  for (const step of path.slice(0, -1)) {
    const below = at[step]
    if (typeof below !== 'object' || below === null) return
    at[step] = { ...below } // what hangs below may be shared with the store
    at = at[step] as Json
  }
  const key = path.at(-1) ?? ''
  if (rule.change === 'add') own(at, key, rule.value)
  if (rule.change === 'add' || !Object.hasOwn(at, key)) return
  const value = at[key]
  if (rule.change === 'retype') own(at, key, retyped(value, rule.to))
  else delete at[key]
  if (rule.change === 'rename') own(at, rule.to, value)
}

/** Also for keys such as `__proto__`, which an assignment would take otherwise. */
function own(at: Json, key: string, value: unknown): void {
  Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true })
}

function retyped(value: unknown, to: 'string' | 'number' | 'boolean' | 'json' | 'array' | 'null'): unknown {
  switch (to) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'number':
      return typeof value === 'string' ? value.length : Number(value)
    case 'boolean':
      return Boolean(value)
    case 'json':
      return { value }
    case 'array':
      return [value]
    case 'null':
      return null
  }
}
