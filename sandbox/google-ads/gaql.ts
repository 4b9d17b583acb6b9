/** GAQL read into its parts. What cannot be read is refused in the vendor's codes. */
import { queryError } from './errors.js'

export type Operator =
  | '='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'IN'
  | 'NOT IN'
  | 'BETWEEN'
  | 'LIKE'
  | 'NOT LIKE'
  | 'CONTAINS ANY'
  | 'DURING'
  | 'IS NULL'
  | 'IS NOT NULL'

export interface Condition {
  field: string
  operator: Operator
  values: string[]
}

export interface Query {
  select: string[]
  from: string | undefined
  where: Condition[]
  orderBy: { field: string; descending: boolean }[]
  limit: number | undefined
  omitNames: boolean
}

const token = /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([A-Za-z_][\w.]*)|(-?\d+(?:\.\d+)?)|(!=|>=|<=|[=<>(),]))/y

interface Token {
  text: string
  isValue: boolean
}

function tokens(query: string): Token[] {
  const found: Token[] = []
  token.lastIndex = 0
  const end = query.trimEnd().length
  while (token.lastIndex < end) {
    const at = token.lastIndex
    const match = token.exec(query)
    if (match === null) throw queryError('UNEXPECTED_INPUT', `Error in query: unexpected input ${query.slice(at).trim().slice(0, 20)}.`)
    const [, quoted, word, number, sign] = match
    if (quoted !== undefined) found.push({ text: quoted.slice(1, -1).replace(/\\(.)/g, '$1'), isValue: true })
    else found.push({ text: word ?? number ?? sign ?? '', isValue: number !== undefined })
  }
  return found
}

/** @param needsFrom queries of the field service have no FROM */
export function parse(query: string, needsFrom = true): Query {
  const all = tokens(query)
  let at = 0
  const peek = () => all[at]
  const isWord = (word: string) => peek()?.isValue === false && peek()?.text.toUpperCase() === word
  const take = (): Token => {
    const next = all[at++]
    if (next === undefined) throw queryError('UNEXPECTED_END_OF_QUERY', 'Error in query: unexpected end of query.')
    return next
  }
  const skip = (word: string): boolean => {
    if (!isWord(word)) return false
    at++
    return true
  }
  const need = (word: string, code: string) => {
    if (!skip(word)) throw queryError(code, `Error in query: expected ${word}, found ${peek()?.text ?? 'the end of the query'}.`)
  }
  const field = (): string => {
    const { text, isValue } = take()
    if (isValue || !/^[a-z]\w*(\.\w+)*$/.test(text)) throw queryError('BAD_FIELD_NAME', `Error in query: invalid field name '${text}'.`)
    return text
  }
  const listed = <T>(one: () => T): T[] => {
    const items = [one()]
    while (skip(',')) items.push(one())
    return items
  }
  const bracketed = (): string[] => {
    need('(', 'EXPECTED_LIST')
    const values = listed(() => take().text)
    need(')', 'EXPECTED_LIST')
    return values
  }
  const condition = (): Condition => {
    const name = field()
    const { text } = take()
    const word = text.toUpperCase()
    if (['=', '!=', '>', '>=', '<', '<=', 'LIKE', 'DURING'].includes(word))
      return { field: name, operator: word as Operator, values: [take().text] }
    if (word === 'IN') return { field: name, operator: 'IN', values: bracketed() }
    if (word === 'NOT' && skip('IN')) return { field: name, operator: 'NOT IN', values: bracketed() }
    if (word === 'NOT' && skip('LIKE')) return { field: name, operator: 'NOT LIKE', values: [take().text] }
    if (word === 'CONTAINS' && skip('ANY')) return { field: name, operator: 'CONTAINS ANY', values: bracketed() }
    if (word === 'IS' && skip('NOT')) {
      need('NULL', 'BAD_OPERATOR')
      return { field: name, operator: 'IS NOT NULL', values: [] }
    }
    if (word === 'IS' && skip('NULL')) return { field: name, operator: 'IS NULL', values: [] }
    if (word === 'BETWEEN') {
      const low = take().text
      need('AND', 'EXPECTED_VALUE_WITH_BETWEEN_OPERATOR')
      return { field: name, operator: 'BETWEEN', values: [low, take().text] }
    }
    throw queryError('BAD_OPERATOR', `Error in WHERE clause: invalid operator ${text}.`)
  }

  need('SELECT', 'EXPECTED_SELECT')
  const select = listed(field)
  let from: string | undefined
  if (needsFrom) {
    need('FROM', 'EXPECTED_FROM')
    from = take().text
  }
  const where: Condition[] = []
  if (skip('WHERE'))
    do where.push(condition())
    while (skip('AND'))
  const orderBy: Query['orderBy'] = []
  if (skip('ORDER')) {
    need('BY', 'EXPECTED_BY')
    orderBy.push(
      ...listed(() => {
        const name = field()
        const descending = skip('DESC')
        if (!descending) skip('ASC')
        return { field: name, descending }
      }),
    )
  }
  let limit: number | undefined
  if (skip('LIMIT')) {
    const { text } = take()
    if (!/^[1-9]\d*$/.test(text)) throw queryError('BAD_LIMIT_VALUE', `Error in LIMIT clause: invalid value ${text}.`)
    limit = Number(text)
  }
  let omitNames = false
  if (skip('PARAMETERS'))
    listed(() => {
      const name = field()
      need('=', 'BAD_PARAMETER_VALUE')
      const value = take().text
      if (name === 'omit_unselected_resource_names') omitNames = value.toLowerCase() === 'true'
      else if (name !== 'include_drafts') throw queryError('BAD_PARAMETER_NAME', `Error in PARAMETERS clause: unknown parameter ${name}.`)
    })
  if (peek() !== undefined) throw queryError('UNEXPECTED_INPUT', `Error in query: unexpected input ${peek()?.text}.`)
  return { select, from, where, orderBy, limit, omitNames }
}
