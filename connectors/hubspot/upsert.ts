import { type Outcome, type Outgoing, refused } from '../../src/core/audience.js'
import { Failure } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { masked } from '../../src/http/classify.js'
import { path } from './api.js'
import { type Mapped, textOf, unknownOption } from './mapping.js'

/** What tells a member's record apart; undefined where the model has none. */
export const matchOf = ({ match }: Mapped, { identifiers }: Outgoing): string | undefined =>
  match === 'email' ? identifiers.email : identifiers.external_id

/**
 * Writes up to 100 records, an outcome each. Every mapped property goes each time, and nothing relies on partial success: the guide says that
 * there is none by e-mail.
 * @throws Failure `record` where the batch was refused whole: half of it may be what is meant
 */
export async function upsert(http: Http, how: Mapped, members: readonly Outgoing[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  // Two inputs of one record refuse the whole batch: the last one is sent, and speaks for all.
  const groups = new Map<string, Outgoing[]>()
  for (const member of members) {
    const problem = problemOf(how, member)
    if (problem !== undefined) outcomes.push(refused(member.ref, problem))
    else {
      const value = matchOf(how, member)!
      groups.set(value, [...(groups.get(value) ?? []), member])
    }
  }
  if (groups.size === 0) return outcomes
  const inputs = [...groups].map(([value, group]) => {
    const { ref, fields } = group.at(-1)!
    const properties = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, textOf(field)]))
    return { id: value, idProperty: how.match, properties: { ...properties, [how.match]: value }, objectWriteTraceId: ref }
  })
  const { status, body } = await http.request({
    method: 'POST',
    path: path(http, 'objects', `/${encodeURIComponent(how.object)}/batch/upsert`),
    body: { inputs },
    refusals: [400, 409],
  })
  if (status >= 400) throw new Failure('record', `HubSpot refused to write ${how.object}: ${why(body)}.`, { status })
  const said = answersOf(body, how.match)
  for (const { id, objectWriteTraceId: trace } of inputs) {
    const outcome = said(trace, id)
    outcomes.push(...groups.get(id)!.map(({ ref }): Outcome => ({ ref, ...outcome })))
  }
  return outcomes
}

function problemOf(how: Mapped, member: Outgoing): string | undefined {
  if (matchOf(how, member) === undefined)
    return `Records are told apart by ${how.match}, and the member has no ${how.match === 'email' ? 'email' : 'external_id'}.`
  for (const [field, options] of Object.entries(how.options))
    if (unknownOption(options, textOf(member.fields[field])) !== undefined) return `${field}: the value is none of the property's choices.`
  return undefined
}

type Said = { vendorId: string } | { refused: { reason: 'record'; message: string } }

/** What an answer says of one input, by its trace id, else by its value. The status says nothing: 200 may carry errors, too. */
function answersOf(body: Rec, match: string): (trace: string, value: string) => Said {
  const written = new Map<string, string>()
  for (const result of recordsAt('results')(body))
    for (const name of [trace(result.objectWriteTraceId), valued(at(result, `properties.${match}`))])
      if (name !== undefined && !written.has(name)) written.set(name, String(result.id))
  const reasons = new Map<string, string>()
  let ofNobody: string | undefined
  for (const error of (body.errors ?? []) as Rec[]) {
    const { objectWriteTraceId: traces, ids } = (error.context ?? {}) as Rec
    const named = [...list(traces).map(trace), ...list(ids).map(valued)].filter((name) => name !== undefined)
    for (const name of named) reasons.set(name, why(error))
    if (named.length === 0) ofNobody = why(error)
  }
  return (id, value) => {
    const names = [trace(id)!, valued(value)!]
    const message = names.map((name) => reasons.get(name)).find((one) => one !== undefined)
    if (message !== undefined) return { refused: { reason: 'record', message: `${message}.` } }
    const vendorId = names.map((name) => written.get(name)).find((one) => one !== undefined)
    if (vendorId !== undefined) return { vendorId }
    const lost = ofNobody ?? 'HubSpot named it neither among the written nor among the refused; its record may have been merged'
    return { refused: { reason: 'record', message: `${lost}.` } }
  }
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value])
const trace = (value: unknown) => (value === undefined || value === null ? undefined : `trace ${String(value)}`)
const valued = (value: unknown) => (typeof value === 'string' && value !== '' ? `value ${value.trim().toLowerCase()}` : undefined)

/** Properties and codes of a refusal; its sentence quotes the value, and is told only where there are none. */
function why({ message, category, errors }: Rec): string {
  const text = String(message ?? '')
  const details = [
    ...inside(text).map(({ name, error }) => [name, error]),
    ...(list(errors) as Rec[]).map((error) => [list(at(error, 'context.propertyName'))[0], error.code]),
  ].filter(([name, code]) => name !== undefined && code !== undefined)
  if (details.length > 0) return [...new Set(details.map(([name, code]) => `${String(name)}: ${String(code)}`))].join(', ')
  return `${String(category ?? 'an error')}: ${masked(text.slice(0, 300)).replace(/\.$/, '') || 'without a word'}`
}

/** The JSON that stands in brackets within a message. */
function inside(text: string): Rec[] {
  try {
    const found: unknown = JSON.parse(text.slice(text.indexOf('['), text.lastIndexOf(']') + 1))
    return Array.isArray(found) ? found.filter((one): one is Rec => typeof one === 'object' && one !== null) : []
  } catch {
    return []
  }
}
