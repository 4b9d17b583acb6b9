import { createHash } from 'node:crypto'
import { dayMs } from '../../src/core/slices.js'
import type { Fields, Rec, Slice, Slicing } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { adAccounts } from './api.js'
import * as fields from './fields.js'
import { earliest, type Level } from './insights.js'
import { type Edge, listed } from './pages.js'

const hour = 3_600_000
const asIs = (raw: Rec) => raw

/** Small things and those without a usable date: read whole, and what is gone there is gone here. */
export const whole = (edge: Edge, description: string, columns: Fields, record = asIs): DeclaredStream => ({
  description,
  key: ['id'],
  fields: columns,
  mode: 'replace',
  modes: ['replace', 'merge', 'history'],
  record,
  passes: [{ slicing: { by: 'parent', parents: adAccounts }, read: listed(edge) }],
})

const json = JSON.stringify
const seconds = (instant: string) => Math.floor(Date.parse(instant) / 1000)

/**
 * Campaigns, ad sets and ads by when they were edited. Delivery that stops or starts moves no date, so `effective_status` may be old:
 * mode `replace` reads all of them every time.
 */
export const edited = (name: string, node: string, description: string, columns: Fields, limit: number): DeclaredStream => ({
  description,
  key: ['id'],
  fields: columns,
  mode: 'merge',
  modes: ['merge', 'append', 'replace', 'history'],
  record: asIs,
  cursor: { field: 'updated_time', ordered: false },
  passes: [
    {
      slicing: { by: 'time', lookbackMs: hour, lagMs: 0, first: 'whole', parents: adAccounts },
      read: listed({
        name,
        limit,
        queries({ slice: { from } }) {
          // Only greater-than is known, and to whole seconds; the key absorbs what is read twice.
          const since = from === undefined ? [] : [{ field: `${node}.updated_time`, operator: 'GREATER_THAN', value: seconds(from) - 1 }]
          // What is archived or deleted shows only where it is asked for by name; naming all statuses instead would miss new ones.
          const gone = { field: `${node}.effective_status`, operator: 'IN', value: ['ARCHIVED', 'DELETED'] }
          return [since.length > 0 ? { filtering: json(since) } : {}, { filtering: json([...since, gone]) }]
        },
      }),
    },
  ],
})

/** The log of changes. Entries have no id: a fingerprint of all that an entry says takes its place. */
export const activities: DeclaredStream = {
  description: 'Who changed what in the ad account, and when.',
  key: ['id'],
  fields: fields.activity,
  mode: 'merge',
  modes: ['merge', 'append'],
  record: (raw) => ({ id: fingerprint(raw), ...raw }),
  cursor: { field: 'event_time', ordered: false },
  passes: [
    {
      slicing: { by: 'time', days: 30, lookbackMs: dayMs, lagMs: 0, first: 'whole', parents: adAccounts, earliest } satisfies Slicing,
      // Without a range the vendor shows the last days only. `until` is taken as included: the key absorbs the one second.
      read: listed({ name: 'activities', limit: 100, own: ['id'], queries: ({ slice }) => [within(slice)] }),
    },
  ],
}

const oldest = 1_123 * dayMs
const within = ({ from, to }: Slice): Rec => {
  const until = seconds(to!)
  return { since: from === undefined ? until - oldest / 1000 : seconds(from), until }
}

const fingerprint = ({ account_id, event_time, event_type, actor_id, object_id, extra_data }: Rec) =>
  createHash('sha256')
    .update(json([account_id, event_time, event_type, actor_id, object_id, extra_data]))
    .digest('hex')
    .slice(0, 32)

const times = ['time_created', 'time_updated', 'time_content_updated']
/** Unix seconds to instants: no other stream has them. */
export const withInstants = (raw: Rec): Rec => ({
  ...raw,
  ...Object.fromEntries(
    times.filter((name) => typeof raw[name] === 'number').map((name) => [name, new Date(Number(raw[name]) * 1000).toISOString()]),
  ),
})

const namesBy: Record<Level, readonly string[]> = {
  account: ['account_name'],
  campaign: ['account_name', 'campaign_name', 'objective', 'buying_type'],
  adset: ['account_name', 'campaign_name', 'objective', 'buying_type', 'adset_name', 'optimization_goal', 'attribution_setting'],
  ad: ['account_name', 'campaign_name', 'objective', 'buying_type', 'adset_name', 'optimization_goal', 'attribution_setting', 'ad_name'],
}
const counted = ['impressions', 'spend', 'clicks', 'inline_link_clicks', 'ctr', 'cpc', 'cpm']
/** People, not events: they add up to nothing. With breakdowns Meta leaves them out beyond 13 months, so they are not asked for there. */
const people = ['reach', 'frequency', 'unique_clicks']
const acted = ['actions', 'action_values', 'conversions', 'cost_per_action_type', 'purchase_roas', 'outbound_clicks', 'video_play_actions']
const watched = ['p25', 'p50', 'p75', 'p100'].map((part) => `video_${part}_watched_actions`)
const ranked = ['quality_ranking', 'engagement_rate_ranking', 'conversion_rate_ranking']

/** What a marketing team asks of a report. */
export const figures = (level: Level, isBrokenDown: boolean): string[] => [
  ...namesBy[level],
  ...counted,
  ...(isBrokenDown ? [] : people),
  ...acted,
  ...watched,
  ...(level === 'ad' && !isBrokenDown ? ranked : []),
]
