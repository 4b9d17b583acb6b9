/** What each stream of a reader should hold now: every row that the accounts show, with all that is known of it. */
import { fields, resources } from './catalogue.js'
import type { Json } from './entities.js'

const days = 'segments.date segments.ad_network_type segments.device'
/** Stream → its resource, what cuts its rows beside the resource's own fields, and its metrics if they are not all. */
const streams = {
  customers: ['customer'],
  campaigns: ['campaign'],
  campaign_budgets: ['campaign_budget'],
  bidding_strategies: ['bidding_strategy'],
  campaign_criteria: ['campaign_criterion'],
  ad_groups: ['ad_group'],
  ads: ['ad_group_ad'],
  keywords: ['ad_group_criterion'],
  assets: ['asset'],
  asset_groups: ['asset_group'],
  labels: ['label'],
  campaign_labels: ['campaign_label'],
  ad_group_labels: ['ad_group_label'],
  ad_labels: ['ad_group_ad_label'],
  audiences: ['audience'],
  user_lists: ['user_list'],
  conversion_actions: ['conversion_action'],
  geo_targets: ['geo_target_constant'],
  change_status: ['change_status'],
  change_events: ['change_event'],
  click_view: ['click_view', `${days} segments.click_type`],
  account_daily: ['customer', days],
  campaign_daily: ['campaign', days],
  ad_group_daily: ['ad_group', days],
  ad_daily: ['ad_group_ad', days],
  keyword_daily: ['keyword_view', 'segments.date'],
  search_term_daily: ['search_term_view', 'segments.date', 'ad_group'],
  geographic_daily: ['geographic_view', 'segments.date', 'campaign'],
  landing_page_daily: ['landing_page_view', 'segments.date', ''],
  shopping_daily: [
    'shopping_performance_view',
    'segments.date segments.device segments.product_item_id segments.product_title segments.product_brand segments.product_country segments.product_type_l1 segments.product_channel',
  ],
  conversion_action_daily: [
    'campaign',
    'segments.date segments.conversion_action segments.conversion_action_name segments.conversion_action_category',
  ],
} as const satisfies Record<string, readonly [from: string, segments?: string, beside?: string]>

export type GoogleAdsTruth = Record<keyof typeof streams, () => Json[]>

/** @param run the rows of a query in every account that can be read; where metrics are asked for, in no manager */
export function truthOf(run: (query: string) => Json[]): GoogleAdsTruth {
  return Object.fromEntries(
    Object.entries(streams).map(([stream, [from, segments = '', beside]]: [string, readonly [string, string?, string?]]) => [
      stream,
      () => run(queryOf(from, segments.split(' ').filter(Boolean), beside)),
    ]),
  ) as GoogleAdsTruth
}

/** Every field of the resource and of what may stand beside it. @param beside which resource above it; all when not given */
function queryOf(from: string, segments: readonly string[], beside?: string): string {
  const source = resources.get(from)
  const above =
    beside === undefined
      ? [...(source?.beside ?? [])]
      : [from, 'customer', ...(beside === 'ad_group' ? ['campaign', 'ad_group'] : beside === '' ? [] : [beside])]
  const own = [...fields.values()].filter(({ name, selectable }) => selectable && above.includes(name.split('.')[0] ?? ''))
  const isConversions = segments.includes('segments.conversion_action')
  const metrics =
    segments.length === 0
      ? []
      : [...(source?.metrics ?? [])]
          .map((name) => `metrics.${name}`)
          .filter((name) => !isConversions || /\.(all_)?conversions(_value)?$/.test(name))
  const select = [...own.map(({ name }) => name), ...segments, ...metrics].join(', ')
  return `SELECT ${select} FROM ${from}`
}
