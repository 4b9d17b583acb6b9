/** The fields that this sandbox knows, as the field service tells of them; names and types from the v26 protos. */
export type DataType = 'BOOLEAN' | 'DATE' | 'DOUBLE' | 'ENUM' | 'INT32' | 'INT64' | 'MESSAGE' | 'RESOURCE_NAME' | 'STRING'

export interface Field {
  name: string
  category: 'RESOURCE' | 'ATTRIBUTE' | 'SEGMENT' | 'METRIC'
  dataType: DataType
  isRepeated: boolean
  selectable: boolean
}

const kinds: Record<string, DataType> = {
  i: 'INT64',
  n: 'INT32',
  s: 'STRING',
  e: 'ENUM',
  d: 'DOUBLE',
  b: 'BOOLEAN',
  m: 'MESSAGE',
  r: 'RESOURCE_NAME',
  t: 'DATE',
}

/** `name:kind`, with `[]` behind what is repeated. */
const known: Record<string, string> = {
  customer:
    'resource_name:r id:i descriptive_name:s currency_code:s time_zone:s manager:b test_account:b status:e auto_tagging_enabled:b optimization_score:d tracking_url_template:s final_url_suffix:s conversion_tracking_setting.conversion_tracking_id:i',
  customer_client:
    'resource_name:r client_customer:r id:i level:i manager:b hidden:b test_account:b descriptive_name:s currency_code:s time_zone:s status:e',
  campaign:
    'resource_name:r id:i name:s status:e serving_status:e primary_status:e advertising_channel_type:e advertising_channel_sub_type:e bidding_strategy_type:e campaign_budget:r start_date_time:s end_date_time:s labels:r[] frequency_caps:m[] optimization_score:d target_roas.target_roas:d target_cpa.target_cpa_micros:i network_settings.target_google_search:b network_settings.target_search_network:b network_settings.target_content_network:b tracking_url_template:s final_url_suffix:s',
  campaign_budget:
    'resource_name:r id:i name:s status:e amount_micros:i total_amount_micros:i period:e delivery_method:e explicitly_shared:b reference_count:i type:e',
  bidding_strategy:
    'resource_name:r id:i name:s status:e type:e currency_code:s campaign_count:i target_cpa.target_cpa_micros:i target_roas.target_roas:d',
  campaign_criterion:
    'resource_name:r criterion_id:i type:e status:e negative:b bid_modifier:d keyword.text:s keyword.match_type:e location.geo_target_constant:r user_list.user_list:r',
  ad_group:
    'resource_name:r id:i name:s status:e type:e campaign:r cpc_bid_micros:i cpm_bid_micros:i target_cpa_micros:i target_roas:d effective_target_cpa_micros:i effective_target_roas:d labels:r[]',
  ad_group_ad:
    'resource_name:r status:e ad_group:r ad_strength:e ad.id:i ad.type:e ad.name:s ad.final_urls:s[] ad.responsive_search_ad.headlines:m[] ad.responsive_search_ad.descriptions:m[] policy_summary.approval_status:e policy_summary.review_status:e labels:r[]',
  ad_group_criterion:
    'resource_name:r criterion_id:i type:e status:e negative:b keyword.text:s keyword.match_type:e cpc_bid_micros:i quality_info.quality_score:n approval_status:e final_urls:s[] labels:r[]',
  asset:
    'resource_name:r id:i name:s type:e source:e text_asset.text:s youtube_video_asset.youtube_video_id:s image_asset.full_size.url:s final_urls:s[]',
  asset_group: 'resource_name:r id:i name:s status:e primary_status:e ad_strength:e final_urls:s[]',
  label: 'resource_name:r id:i name:s status:e text_label.background_color:s text_label.description:s',
  campaign_label: 'resource_name:r campaign:r label:r',
  ad_group_label: 'resource_name:r ad_group:r label:r',
  ad_group_ad_label: 'resource_name:r ad_group_ad:r label:r',
  audience: 'resource_name:r id:i name:s status:e description:s dimensions:m[]',
  user_list:
    'resource_name:r id:i name:s description:s type:e membership_status:e membership_life_span:i size_for_search:i size_for_display:i size_range_for_search:e size_range_for_display:e match_rate_percentage:n eligible_for_search:b eligible_for_display:b',
  conversion_action:
    'resource_name:r id:i name:s status:e type:e category:e counting_type:e primary_for_goal:b include_in_conversions_metric:b click_through_lookback_window_days:i view_through_lookback_window_days:i attribution_model_settings.attribution_model:e value_settings.default_value:d value_settings.default_currency_code:s',
  geo_target_constant: 'resource_name:r id:i name:s canonical_name:s country_code:s target_type:s status:e parent_geo_target:r',
  change_status: 'resource_name:r last_change_date_time:s resource_type:e resource_status:e campaign:r ad_group:r ad_group_ad:r asset:r',
  change_event:
    'resource_name:r change_date_time:s change_resource_type:e change_resource_name:s resource_change_operation:e client_type:e user_email:s changed_fields:s campaign:r ad_group:r old_resource:m new_resource:m',
  click_view:
    'resource_name:r gclid:s keyword:r keyword_info.text:s keyword_info.match_type:e ad_group_ad:r area_of_interest.country:r location_of_presence.country:r',
  keyword_view: 'resource_name:r',
  search_term_view: 'resource_name:r search_term:s status:e ad_group:r',
  geographic_view: 'resource_name:r country_criterion_id:i location_type:e',
  landing_page_view: 'resource_name:r unexpanded_final_url:s',
  shopping_performance_view: 'resource_name:r',
  segments:
    'date:t week:t month:t quarter:t year:n day_of_week:e device:e ad_network_type:e click_type:e conversion_action:r conversion_action_name:s conversion_action_category:e product_item_id:s product_title:s product_brand:s product_country:r product_type_l1:s product_channel:e',
  metrics:
    'impressions:i clicks:i cost_micros:i interactions:i view_through_conversions:i conversions:d conversions_value:d all_conversions:d all_conversions_value:d average_cpc:d ctr:d search_impression_share:d interaction_event_types:e[]',
}

export const fields: ReadonlyMap<string, Field> = new Map(
  Object.entries(known).flatMap(([resource, list]): [string, Field][] => {
    const category = resource === 'segments' ? 'SEGMENT' : resource === 'metrics' ? 'METRIC' : 'ATTRIBUTE'
    const own = list.split(' ').map((entry): [string, Field] => {
      const [name = '', kind = ''] = entry.split(':')
      const full = `${resource}.${name}`
      return [full, { name: full, category, dataType: kinds[kind[0] ?? ''] ?? 'STRING', isRepeated: kind.endsWith('[]'), selectable: true }]
    })
    const itself: [string, Field][] =
      category === 'ATTRIBUTE'
        ? [[resource, { name: resource, category: 'RESOURCE', dataType: 'MESSAGE', isRepeated: false, selectable: false }]]
        : []
    return [...itself, ...own]
  }),
)

const days = 'date week month quarter year day_of_week'
const traffic =
  'impressions clicks cost_micros interactions view_through_conversions conversions conversions_value all_conversions all_conversions_value average_cpc ctr interaction_event_types'
const actions = 'conversion_action conversion_action_name conversion_action_category'

/** What can stand in the FROM clause: resources that may be selected beside it, segments and metrics. */
const sources: Record<string, [beside: string, segments?: string, metrics?: string]> = {
  customer: ['', `${days} device ad_network_type ${actions}`, traffic],
  customer_client: ['customer'],
  campaign: [
    'customer campaign_budget bidding_strategy',
    `${days} device ad_network_type ${actions}`,
    `${traffic} search_impression_share`,
  ],
  campaign_budget: ['customer'],
  bidding_strategy: ['customer'],
  campaign_criterion: ['customer campaign'],
  ad_group: ['customer campaign', `${days} device ad_network_type ${actions}`, traffic],
  ad_group_ad: ['customer campaign ad_group', `${days} device ad_network_type ${actions}`, traffic],
  ad_group_criterion: ['customer campaign ad_group'],
  asset: ['customer'],
  asset_group: ['customer campaign'],
  label: ['customer'],
  campaign_label: ['customer campaign label'],
  ad_group_label: ['customer campaign ad_group label'],
  ad_group_ad_label: ['customer campaign ad_group ad_group_ad label'],
  audience: ['customer'],
  user_list: ['customer'],
  conversion_action: ['customer'],
  geo_target_constant: [''],
  change_status: ['customer campaign ad_group'],
  change_event: ['customer campaign ad_group'],
  click_view: ['customer campaign ad_group', 'date ad_network_type device click_type', 'clicks'],
  keyword_view: ['customer campaign ad_group ad_group_criterion', `${days} device ad_network_type`, traffic],
  search_term_view: ['customer campaign ad_group', `${days} device ad_network_type`, traffic],
  geographic_view: ['customer campaign ad_group', `${days} device ad_network_type`, traffic],
  landing_page_view: ['customer campaign ad_group', `${days} device ad_network_type`, traffic],
  shopping_performance_view: [
    'customer campaign ad_group',
    `${days} device ad_network_type product_item_id product_title product_brand product_country product_type_l1 product_channel`,
    'impressions clicks cost_micros conversions conversions_value all_conversions all_conversions_value average_cpc ctr',
  ],
}

const words = (text: string | undefined) => new Set((text ?? '').split(' ').filter(Boolean))
export const resources = new Map(
  Object.entries(sources).map(([name, [beside, segments, metrics]]) => [
    name,
    { beside: new Set([name, ...words(beside)]), segments: words(segments), metrics: words(metrics) },
  ]),
)

/** Segments by whose days a range can be filtered without selecting them. */
export const coreDates: ReadonlySet<string> = new Set(['date', 'week', 'month', 'quarter', 'year'].map((name) => `segments.${name}`))
/** Metrics that stand beside the segment of a conversion action; any other is refused. */
export const conversionMetrics: ReadonlySet<string> = new Set(
  ['conversions', 'conversions_value', 'all_conversions', 'all_conversions_value'].map((name) => `metrics.${name}`),
)
