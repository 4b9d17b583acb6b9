import type { Fields } from '../../src/core/types.js'
import type { Paginator } from '../../src/extract/paginate.js'
import { pages } from './api.js'

/** What Klaviyo reports on: of each kind what a row stands for, and its figures. Fields: OpenAPI of revision 2026-07-15. */

export interface Kind {
  /** Resource whose oldest one says where a series begins. */
  first: { path: string; field: string; budget: string }
  /** What a row stands for. */
  groupings: readonly string[]
  statistics: readonly string[]
  /** Conversions are counted by one metric, which must be said. */
  byMetric: boolean
  /** Segments and forms are grouped by themselves. */
  saysGroupings: boolean
}

export const words = (list: string) => list.split(' ')
const sent = words(
  'recipients delivered opens opens_unique clicks clicks_unique bounced unsubscribes conversions conversion_value open_rate click_rate',
)
const flowsFirst = { path: '/api/flows', field: 'created', budget: 'S' }

export const kinds = {
  campaign: {
    first: flowsFirst,
    groupings: words('campaign_id campaign_message_id send_channel'),
    statistics: sent,
    byMetric: true,
    saysGroupings: true,
  },
  flow: {
    first: flowsFirst,
    groupings: words('flow_id flow_message_id send_channel'),
    statistics: sent,
    byMetric: true,
    saysGroupings: true,
  },
  form: {
    first: { path: '/api/forms', field: 'created_at', budget: 'S' },
    groupings: ['form_id'],
    statistics: words('viewed_form viewed_form_uniques submits submit_rate closed_form'),
    byMetric: false,
    saysGroupings: true,
  },
  segment: {
    first: { path: '/api/segments', field: 'created', budget: 'L' },
    groupings: ['segment_id'],
    statistics: words('total_members members_added members_removed net_members_changed'),
    byMetric: false,
    saysGroupings: false,
  },
} as const satisfies Record<string, Kind>

export interface Asked {
  groupings: readonly string[]
  statistics: readonly string[]
  metricId?: string | undefined
}

export const columns = ({ groupings, statistics }: Asked): Fields =>
  Object.fromEntries([
    ...groupings.map((name) => [name, { type: 'text' as const }]),
    ...statistics.map((name) => [name, { type: 'double' as const }]),
  ])

/** The next page, where there is one, is asked for with the same question. */
export const byLink = (records: Paginator['records']): Paginator => ({
  records,
  next: pages.next,
  request: ({ query: _, ...first }, token) => ({ ...first, path: token }),
})
