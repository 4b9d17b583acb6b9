/**
 * Klaviyo's filter language: `op(field,value)`, joined by commas or `and(…)`. Text is quoted; dates, numbers and booleans
 * are bare. Each endpoint allows few fields, and each field few operators; everything else is refused.
 */
import { Refused } from '../kit/http.js'
import { invalid, refusal } from './errors.js'

export type Operator =
  | 'equals'
  | 'any'
  | 'has'
  | 'contains'
  | 'contains-any'
  | 'starts-with'
  | 'greater-than'
  | 'greater-or-equal'
  | 'less-than'
  | 'less-or-equal'

export interface FieldRule {
  type: 'text' | 'datetime' | 'number' | 'boolean' | 'relation'
  operators: readonly Operator[]
  /** The value must be a list, also for one. */
  listOnly?: boolean
}

/** What a record holds under a field: dates are milliseconds; several values mean that one of them must fit. */
export type FieldValue = string | number | boolean | null | readonly (string | number)[]

export interface Condition {
  operator: Operator
  field: string
  values: readonly (string | number | boolean)[]
}

const bad = (detail: string) => new Refused(refusal(400, invalid(detail, { parameter: 'filter' })))
const broken = () => bad('Invalid filter provided')

export function parseFilter(text: string, rules: Readonly<Record<string, FieldRule>>): Condition[] {
  const conditions: Condition[] = []
  const rest = readList(text, rules, conditions)
  if (rest !== '') throw broken()
  return conditions
}

function readList(text: string, rules: Readonly<Record<string, FieldRule>>, into: Condition[]): string {
  let rest = text.trimStart()
  while (true) {
    const head = /^([a-z-]+)\(/.exec(rest)
    if (head === null) throw broken()
    const operator = head[1] as string
    rest = rest.slice(head[0].length)
    if (operator === 'and') rest = close(readList(rest, rules, into))
    else if (operator === 'or' || operator === 'not') throw bad(`'${operator}' is not supported for this endpoint.`)
    else rest = readCondition(operator as Operator, rest, rules, into)
    rest = rest.trimStart()
    if (!rest.startsWith(',')) return rest
    rest = rest.slice(1).trimStart()
  }
}

function readCondition(operator: Operator, text: string, rules: Readonly<Record<string, FieldRule>>, into: Condition[]): string {
  const name = /^\s*([A-Za-z0-9_.$-]+)\s*/.exec(text)
  if (name === null) throw broken()
  const field = name[1] as string
  const rule = Object.hasOwn(rules, field) ? rules[field] : undefined
  if (rule === undefined) throw bad(`'${field}' is not a filterable field for this resource.`)
  if (!rule.operators.includes(operator))
    throw bad(`'${operator}' is not a supported operator for the field '${field}'. Supported: ${rule.operators.join(', ')}.`)
  let rest = text.slice(name[0].length)
  if (operator === 'has') {
    into.push({ operator, field, values: [] })
    return close(rest)
  }
  if (!rest.startsWith(',')) throw broken()
  rest = rest.slice(1).trimStart()
  const values: (string | number | boolean)[] = []
  if (rest.startsWith('[')) {
    if (operator !== 'any' && operator !== 'equals' && operator !== 'contains-any') throw broken()
    rest = rest.slice(1)
    while (true) {
      rest = readValue(rest.trimStart(), field, rule, values).trimStart()
      if (rest.startsWith(']')) break
      if (!rest.startsWith(',')) throw broken()
      rest = rest.slice(1)
    }
    rest = rest.slice(1)
  } else {
    if (operator === 'any' || rule.listOnly) throw bad(`'${field}' takes a list: ${operator}(${field},["…"]).`)
    rest = readValue(rest, field, rule, values)
  }
  into.push({ operator, field, values })
  return close(rest)
}

function readValue(text: string, field: string, { type }: FieldRule, into: (string | number | boolean)[]): string {
  const quoted = /^(["'])((?:\\.|(?!\1)[^\\])*)\1/.exec(text)
  if (quoted !== null) {
    if (type !== 'text') throw bad(`Invalid filter provided: the value of '${field}' must not be quoted.`)
    into.push((quoted[2] as string).replace(/\\(.)/g, '$1'))
    return text.slice(quoted[0].length)
  }
  const bare = /^[^,)\]\s]+/.exec(text)
  if (bare === null || type === 'text') throw broken()
  const word = bare[0]
  into.push(type === 'boolean' ? boolean(word, field) : type === 'number' ? number(word, field) : instant(word, field))
  return text.slice(word.length)
}

function boolean(word: string, field: string): boolean {
  if (word !== 'true' && word !== 'false') throw bad(`'${word}' is not a boolean for '${field}'.`)
  return word === 'true'
}

function number(word: string, field: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(word)) throw bad(`'${word}' is not a number for '${field}'.`)
  return Number(word)
}

function instant(word: string, field: string): number {
  const dated = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(word)
  const zoned = /T/.test(word) && !/(Z|[+-]\d{2}:?\d{2})$/.test(word) ? `${word}Z` : word
  const ms = dated ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(ms)) throw bad(`'${word}' is not a valid datetime for '${field}'.`)
  return ms
}

function close(text: string): string {
  const rest = text.trimStart()
  if (!rest.startsWith(')')) throw broken()
  return rest.slice(1)
}

/** With `boundIncluded`, `greater-than` lets the bound itself through, as has been seen. */
export function fits({ operator, values }: Condition, value: FieldValue, boundIncluded: boolean): boolean {
  if (operator === 'has') return value !== null
  if (value === null) return false
  if (Array.isArray(value)) return value.some((one) => fits({ operator, field: '', values }, one as FieldValue, boundIncluded))
  const wanted = values[0] as string | number | boolean
  const held = value as string | number | boolean
  switch (operator) {
    case 'equals':
    case 'any':
      return values.includes(held)
    case 'contains':
    case 'contains-any':
      return values.some((one) => String(held).toLowerCase().includes(String(one).toLowerCase()))
    case 'starts-with':
      return String(held).startsWith(String(wanted))
    case 'greater-than':
      return held > wanted || (boundIncluded && held === wanted)
    case 'greater-or-equal':
      return held >= wanted
    case 'less-than':
      return held < wanted
    case 'less-or-equal':
      return held <= wanted
  }
}
