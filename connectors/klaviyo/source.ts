import type { Finding, Http, HttpRequest, Rec, Slice, Slicing } from '../../src/core/types.js'
import type { Connector } from '../../src/extract/connector.js'
import { versionFinding } from '../../src/extract/connector.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { klaviyo, pages, settings } from './api.js'
import * as fields from './fields.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Attributes to the top level, beside the id; links and empty relationships stay behind. */
const flat = ({ id, attributes }: Rec): Rec => ({ id, ...(attributes as Rec) })
const related = (raw: Rec, name: string) => at(raw, `relationships.${name}.data.id`)
const flatEvent = (raw: Rec): Rec => ({
  ...flat(raw),
  profile_id: related(raw, 'profile'),
  metric_id: related(raw, 'metric'),
  attributions: at(raw, 'relationships.attributions.data'),
})

/** Bounds are whole seconds, written without quotes: Klaviyo stores no finer ones. */
const instant = (iso: string) => iso.replace(/\.\d+Z$/, 'Z')
const secondBefore = (iso: string) => instant(new Date(Date.parse(iso) - 1_000).toISOString())
const all = (...terms: (string | undefined)[]) => {
  const given = terms.filter((term) => term !== undefined)
  return given.length === 0 ? undefined : given.length === 1 ? given[0]! : `and(${given.join(',')})`
}

/** From `from` on, before `to`. */
const within = (field: string, { from, to }: Slice, ...more: string[]) =>
  all(...more, from && `greater-or-equal(${field},${instant(from)})`, to && `less-than(${field},${instant(to)})`)
/** Where a field knows only greater-than: from a second earlier, and the key absorbs what is read twice. */
const after = (field: string, { from, to }: Slice) =>
  all(from && `greater-than(${field},${secondBefore(from)})`, to && `less-than(${field},${instant(to)})`)

/** The oldest value of a cursor: the first record of the ordered collection, or the first that a filter leaves. */
const earliest = (path: string, field: string, budget: string, from: typeof within) => async (http: Http, since?: string) => {
  const filter = from(field, { pass: 'main', ...(since === undefined ? {} : { from: since }) })
  const { body } = await http.request({ path, query: { ...(filter ? { filter } : {}), sort: field, 'page[size]': 1 }, budget })
  const value = at(body, `data.0.attributes.${field}`)
  return typeof value === 'string' ? value : undefined
}

/** Ids of the lists or segments whose members are read one by one. */
const idsOf = (path: string) =>
  async function* (http: Http): AsyncIterable<string> {
    for await (const { records } of walk({ http, paginator: pages, requests: () => [{ path, budget: 'L' }] }))
      for (const { id } of records) yield String(id)
  }

/** A count costs a request a list, 15 a minute: more lists than these would take longer than they are worth. */
const mostCounted = 40

/** Members of all lists or segments, as Klaviyo counts them: one by one, since collections refuse `profile_count`. */
const memberCount = (parents: 'lists' | 'segments') => async (http: Http) => {
  const ids: string[] = []
  for await (const id of idsOf(`/api/${parents}`)(http)) if (ids.push(id) > mostCounted) return undefined
  let total = 0
  for (const id of ids) {
    const query = { [`additional-fields[${parents.slice(0, -1)}]`]: 'profile_count' }
    const { body } = await http.request({ path: `/api/${parents}/${id}`, query, budget: 'counts' })
    const count = Number(at(body, 'data.attributes.profile_count') ?? Number.NaN)
    if (!Number.isSafeInteger(count)) return undefined
    total += count
  }
  return total
}

const changes = (lookbackMs: number): Extract<Slicing, { by: 'time' }> => ({ by: 'time', lookbackMs, lagMs: 0, first: 'whole' })

const withConsent = { 'additional-fields[profile]': 'subscriptions' }

/** Every member of a list or segment, who left included by being gone: leaving shows nowhere. */
const members = (parents: 'lists' | 'segments', parentField: string, budget: string): DeclaredStream => ({
  description: `Members of each of the ${parents}, with when they joined.`,
  key: [parentField, 'profile_id'],
  fields: parentField === 'list_id' ? fields.listMember : fields.segmentMember,
  mode: 'replace',
  modes: ['replace'],
  parallel: 4,
  total: memberCount(parents),
  record: (raw) => ({ [parentField]: raw[parentField], profile_id: raw.id, joined_group_at: at(raw, 'attributes.joined_group_at') }),
  passes: [
    {
      slicing: { by: 'parent', parents: idsOf(`/api/${parents}`) },
      // Profiles have a stream of their own: of a member only its id and the time are asked for.
      ask: ({ parent }) => ({
        path: `/api/${parents}/${parent}/profiles`,
        query: { 'page[size]': 100, 'fields[profile]': 'joined_group_at' },
        budget,
      }),
      pages,
      parentField,
      mayBeGone: true,
    },
  ],
})

/** Small collections without a usable filter: read whole, and what is gone there is gone here. */
const whole = (path: string, description: string, columns: typeof fields.list, budget: string): DeclaredStream => ({
  description,
  key: ['id'],
  fields: columns,
  mode: 'replace',
  modes: ['replace', 'merge', 'history'],
  record: flat,
  passes: [{ slicing: { by: 'all' }, ask: () => ({ path, budget }), pages }],
})

/** Collections that are filtered by when they changed; read once for each of `terms`, since Klaviyo gives only one kind at a time. */
const changed = (
  path: string,
  description: string,
  columns: typeof fields.list,
  budget: string,
  field: string,
  terms: string[],
): DeclaredStream => ({
  description,
  key: ['id'],
  fields: columns,
  mode: 'merge',
  modes: ['merge', 'append', 'replace', 'history'],
  record: flat,
  // Their order is advisory: archived campaigns come slightly out of it.
  cursor: { field, ordered: false },
  passes: [
    {
      slicing: changes(day),
      ask: (slice) =>
        (terms.length === 0 ? [undefined] : terms).map(
          (term): HttpRequest => ({ path, query: { filter: within(field, slice, ...(term ? [term] : [])), sort: field }, budget }),
        ),
      pages,
    },
  ],
})

const archivedOrNot = ['equals(archived,false)', 'equals(archived,true)']
const channels = ['email', 'sms', 'mobile_push']

const streams = defineStreams({
  profiles: {
    description: 'People, with consent and suppressions.',
    key: ['id'],
    fields: fields.profile,
    mode: 'merge',
    modes: ['merge', 'append', 'replace', 'history'],
    record: flat,
    // A first read is cut into ranges of time, so that the vendor's latency is not paid page after page.
    parallel: 4,
    cursor: { field: 'updated', ordered: true },
    passes: [
      {
        slicing: { ...changes(10 * minute), earliest: earliest('/api/profiles', 'updated', 'L', after) },
        ask: (slice) => ({
          path: '/api/profiles',
          query: { filter: after('updated', slice), sort: 'updated', 'page[size]': 100, ...withConsent },
          budget: 'L',
        }),
        pages,
      },
      {
        // Unsubscribing does not move `updated`: suppressions are looked for by their own time. That filter takes no sort.
        name: 'suppressions',
        slicing: { by: 'time', lookbackMs: hour, lagMs: 0, first: 'skip' },
        ask: (slice) => ({
          path: '/api/profiles',
          query: { filter: within('subscriptions.email.marketing.suppression.timestamp', slice), 'page[size]': 100, ...withConsent },
          budget: 'L',
        }),
        pages,
        isOrdered: false,
      },
    ],
  },
  events: {
    description: 'What people did: opens, clicks, orders and your own events.',
    key: ['id'],
    fields: fields.event,
    mode: 'merge',
    modes: ['merge', 'append', 'replace_slice'],
    // Each slice gives every event of its time, so an event that is gone at Klaviyo can go here.
    bounds: { range: 'datetime' },
    record: flatEvent,
    parallel: 3,
    cursor: { field: 'datetime', ordered: true },
    passes: [
      {
        // Events become visible late and may carry an older time: two hours are read again (110 minutes have been seen).
        slicing: {
          by: 'time',
          days: 7,
          lookbackMs: 2 * hour,
          lagMs: 0,
          first: 'whole',
          earliest: earliest('/api/events', 'datetime', 'XL', within),
        },
        ask: (slice) => ({
          path: '/api/events',
          query: { filter: within('datetime', slice), sort: 'datetime', 'page[size]': 1000 },
          budget: 'XL',
        }),
        pages,
      },
    ],
  },
  metrics: whole('/api/metrics', 'Kinds of events.', fields.metric, 'M'),
  lists: whole('/api/lists', 'Lists.', fields.list, 'L'),
  segments: whole('/api/segments', 'Segments and their definitions.', fields.segment, 'L'),
  list_members: members('lists', 'list_id', 'L'),
  segment_members: members('segments', 'segment_id', 'L'),
  campaigns: changed(
    '/api/campaigns',
    'Campaigns of every channel, archived ones included.',
    fields.campaign,
    'M',
    'updated_at',
    // The channel filter is mandatory, and without the other archived ones are left out.
    channels.flatMap((channel) => archivedOrNot.map((archived) => `equals(messages.channel,'${channel}'),${archived}`)),
  ),
  flows: changed('/api/flows', 'Flows, archived ones included.', fields.flow, 'S', 'updated', archivedOrNot),
  templates: changed('/api/templates', 'E-mail templates.', fields.template, 'L', 'updated', []),
})

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: '/api/accounts', budget: 'accounts' })
  yield {
    name: 'access',
    ok: true,
    message: `account ${String(at(body, 'data.0.id') ?? 'unknown')}, time zone ${String(at(body, 'data.0.attributes.timezone') ?? 'unknown')}`,
  }
  yield versionFinding(klaviyo, http, new Date())
  for (const [name, path] of Object.entries({
    profiles: '/api/profiles',
    events: '/api/events',
    lists: '/api/lists',
    flows: '/api/flows',
    templates: '/api/templates',
  })) {
    try {
      await http.request({
        path,
        ...(name === 'profiles' || name === 'events' ? { query: { 'page[size]': 1 } } : {}),
        budget: name === 'flows' ? 'S' : 'L',
      })
      yield { name: `scope of ${name}`, ok: true, message: 'readable' }
    } catch (error) {
      yield { name: `scope of ${name}`, ok: false, message: error instanceof Error ? error.message : String(error) }
    }
  }
}

export const connector: Connector = {
  type: 'klaviyo',
  title: 'Klaviyo',
  settings,
  apiVersions: ['2026-07-15'],
  api: klaviyo,
  source: { type: 'klaviyo', streams, check },
}
