/** SOQL as connectors and jsforce write it: one object, parents by their path, no children and no aggregates but COUNT(). */
import { refuse } from './errors.js'

export type Literal = { kind: 'text' | 'bare' | 'date'; text: string }
export type Condition =
  | { kind: 'and' | 'or'; of: Condition[] }
  | { kind: 'not'; of: Condition }
  | { kind: 'compare'; field: string; op: string; values: Literal[] }

export interface Query {
  soql: string
  /** Undefined for COUNT(). */
  fields: string[] | undefined
  from: string
  where: Condition | undefined
  orderBy: { field: string; descending: boolean; nullsLast: boolean }[]
  limit: number | undefined
  offset: number
}

const longest = 100_000
const longestLiteral = 4_000
const token =
  /\s*(?:('(?:[^'\\]|\\.)*')|(\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)|([A-Za-z_][\w.]*(?::\d+)?|[-+]?\d+(?:\.\d+)?)|(<=|>=|!=|<>|[=<>(),*]))/y

interface Token {
  text: string
  at: number
  kind: 'text' | 'date' | 'word' | 'sign'
}

function tokens(soql: string): Token[] {
  const found: Token[] = []
  token.lastIndex = 0
  while (token.lastIndex < soql.length && /\S/.test(soql.slice(token.lastIndex))) {
    const match = token.exec(soql)
    if (match === null) throw malformed(`unexpected token: '${soql.slice(found.at(-1)?.at ?? 0).trim()[0] ?? ''}'`)
    const [, text, date, word, sign] = match
    found.push({
      text: (text ?? date ?? word ?? sign) as string,
      at: token.lastIndex,
      kind: text !== undefined ? 'text' : date !== undefined ? 'date' : word !== undefined ? 'word' : 'sign',
    })
  }
  return found
}

export const malformed = (message: string) => refuse(400, 'MALFORMED_QUERY', message)

/** @throws Refused in the vendor's words. */
export function parse(soql: string): Query {
  if (soql.length > longest) throw malformed(`SOQL statements cannot be longer than ${longest} characters.`)
  const all = tokens(soql)
  let at = 0
  const peek = (ahead = 0) => all[at + ahead]?.text.toUpperCase()
  const take = () => {
    const next = all[at++]
    if (next === undefined) throw malformed('unexpected token: <EOF>')
    return next
  }
  const expect = (text: string) => {
    const next = take()
    if (next.text.toUpperCase() !== text) throw malformed(`unexpected token: '${next.text}'`)
  }
  const accept = (text: string) => {
    if (peek() !== text) return false
    at++
    return true
  }
  const word = () => {
    const next = take()
    if (next.kind !== 'word') throw malformed(`unexpected token: '${next.text}'`)
    return next.text
  }
  const literal = (): Literal => {
    const { text, kind } = take()
    if (kind === 'sign') throw malformed(`unexpected token: '${text}'`)
    if (kind !== 'text') return { kind: kind === 'date' ? 'date' : 'bare', text }
    const inner = text.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ({ n: '\n', r: '\r', t: '\t' })[char] ?? char)
    if (inner.length > longestLiteral) throw malformed(`String literal longer than ${longestLiteral} characters.`)
    return { kind: 'text', text: inner }
  }
  const single = (): Condition => {
    if (accept('NOT')) return { kind: 'not', of: single() }
    if (accept('(')) {
      const inner = either()
      expect(')')
      return inner
    }
    const field = word()
    let op = take().text.toUpperCase()
    if (op === 'NOT') op = `NOT ${take().text.toUpperCase()}`
    if (op === '<>') op = '!='
    if (!['=', '!=', '<', '<=', '>', '>=', 'LIKE', 'IN', 'NOT IN'].includes(op)) throw malformed(`unexpected token: '${op}'`)
    if (!op.endsWith('IN')) return { kind: 'compare', field, op, values: [literal()] }
    expect('(')
    const values = [literal()]
    while (accept(',')) values.push(literal())
    expect(')')
    return { kind: 'compare', field, op, values }
  }
  const both = (): Condition => {
    const of = [single()]
    while (accept('AND')) of.push(single())
    return of.length === 1 ? (of[0] as Condition) : { kind: 'and', of }
  }
  const either = (): Condition => {
    const of = [both()]
    while (accept('OR')) of.push(both())
    return of.length === 1 ? (of[0] as Condition) : { kind: 'or', of }
  }

  expect('SELECT')
  let fields: string[] | undefined
  if (peek() === 'COUNT' && peek(1) === '(' && peek(2) === ')') at += 3
  else {
    fields = [word()]
    while (accept(',')) fields.push(word())
    if (peek() === '(') throw malformed(`unexpected token: '${fields.at(-1)}('`)
  }
  expect('FROM')
  const from = word()
  const where = accept('WHERE') ? either() : undefined
  const orderBy: Query['orderBy'] = []
  if (accept('ORDER')) {
    expect('BY')
    do {
      const field = word()
      const descending = accept('DESC')
      if (!descending) accept('ASC')
      const nullsLast = accept('NULLS') ? take().text.toUpperCase() === 'LAST' : false
      orderBy.push({ field, descending, nullsLast })
    } while (accept(','))
  }
  const limit = accept('LIMIT') ? Number(word()) : undefined
  const offset = accept('OFFSET') ? Number(word()) : 0
  if (offset > 2_000) throw refuse(400, 'NUMBER_OUTSIDE_VALID_RANGE', 'Maximum SOQL offset allowed is 2000')
  if (all[at] !== undefined) throw malformed(`unexpected token: '${all[at]?.text}'`)
  return { soql, fields, from, where, orderBy, limit, offset }
}
