import type { Http, Rec } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { pages } from './api.js'
import { after, changes, earliest, flat, idsOf, related, whole, within } from './asking.js'
import * as fields from './fields.js'

/** People, what they did, and the lists and segments they are in. */

const minute = 60_000
const hour = 60 * minute

const flatEvent = (raw: Rec): Rec => ({
  ...flat(raw),
  profile_id: related(raw, 'profile'),
  metric_id: related(raw, 'metric'),
  attributions: at(raw, 'relationships.attributions.data'),
})

/** A count costs a request a list, 15 a minute: more lists than these would take longer than they are worth. */
const mostCounted = 40

/** Members of all lists or segments, as Klaviyo counts them: one by one, since collections refuse `profile_count`. */
const memberCount = (parents: 'lists' | 'segments') => async (http: Http) => {
  const ids: string[] = []
  for await (const id of idsOf(`/api/${parents}`, 'L')(http)) if (ids.push(id) > mostCounted) return undefined
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
      slicing: { by: 'parent', parents: idsOf(`/api/${parents}`, 'L') },
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

export const people = {
  profiles: {
    description: 'People, with consent and suppressions.',
    key: ['id'],
    fields: fields.profile,
    mode: 'merge',
    modes: ['merge', 'append', 'replace', 'history'],
    record: flat,
    // A first read is cut into ranges of time, so that the vendor's latency is not paid page after page: 700 requests a minute (L) are all
    // used where a page of profiles comes within half a second.
    parallel: 6,
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
} satisfies Record<string, DeclaredStream>
