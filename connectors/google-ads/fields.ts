import type { FieldType } from '../../src/core/types.js'

/**
 * Columns of each stream: names of GAQL and their types, as the field service gives them (v26 protos, read 2026-11-23). Ids and
 * counts are INT64, which REST writes as text; money is in micros (millionths of the account's currency). DOUBLE may be a
 * fraction of a micro. Times without a zone (`2026-11-02 13:05:44`) are the account's, so they stay text beside its time zone.
 */
export type Columns = Readonly<Record<string, FieldType>>

const of = (type: FieldType, ...names: string[]): Columns => Object.fromEntries(names.map((name) => [name, type]))
const text = (...names: string[]) => of('text', ...names)
const bigint = (...names: string[]) => of('bigint', ...names)
const double = (...names: string[]) => of('double', ...names)
const boolean = (...names: string[]) => of('boolean', ...names)
const json = (...names: string[]) => of('json', ...names)
const below = (resource: string, columns: Columns): Columns =>
  Object.fromEntries(Object.entries(columns).map(([name, type]) => [`${resource}.${name}`, type]))

/** What every row carries: whose it is, and what its money and days mean. */
export const account: Columns = { ...bigint('customer.id'), ...text('customer.currency_code', 'customer.time_zone') }
const inCampaign = bigint('campaign.id')
const inAdGroup = { ...inCampaign, ...bigint('ad_group.id') }

export const customer = below('customer', {
  ...text('descriptive_name', 'status'),
  ...boolean('manager', 'test_account', 'auto_tagging_enabled'),
  ...text('tracking_url_template', 'final_url_suffix'),
  ...double('optimization_score'),
  ...bigint('conversion_tracking_setting.conversion_tracking_id'),
})
export const campaign = below('campaign', {
  ...bigint('id'),
  ...text('name', 'status', 'serving_status', 'primary_status', 'advertising_channel_type', 'advertising_channel_sub_type'),
  ...text('bidding_strategy_type', 'campaign_budget', 'start_date_time', 'end_date_time', 'tracking_url_template', 'final_url_suffix'),
  ...json('labels', 'frequency_caps'),
  ...double('optimization_score', 'target_roas.target_roas'),
  ...bigint('target_cpa.target_cpa_micros'),
  ...boolean('network_settings.target_google_search', 'network_settings.target_search_network', 'network_settings.target_content_network'),
})
export const campaignBudget = below('campaign_budget', {
  ...bigint('id', 'amount_micros', 'total_amount_micros', 'reference_count'),
  ...text('name', 'status', 'period', 'delivery_method', 'type'),
  ...boolean('explicitly_shared'),
})
export const biddingStrategy = below('bidding_strategy', {
  ...bigint('id', 'campaign_count', 'target_cpa.target_cpa_micros'),
  ...text('name', 'status', 'type', 'currency_code'),
  ...double('target_roas.target_roas'),
})
export const adGroup = {
  ...inCampaign,
  ...below('ad_group', {
    ...bigint('id', 'cpc_bid_micros', 'cpm_bid_micros', 'target_cpa_micros', 'effective_target_cpa_micros'),
    ...text('name', 'status', 'type', 'campaign'),
    ...double('target_roas', 'effective_target_roas'),
    ...json('labels'),
  }),
}
export const ad = {
  ...inAdGroup,
  ...below('ad_group_ad', {
    ...bigint('ad.id'),
    ...text('ad.type', 'ad.name', 'status', 'ad_strength', 'policy_summary.approval_status', 'policy_summary.review_status'),
    ...json('ad.final_urls', 'ad.responsive_search_ad.headlines', 'ad.responsive_search_ad.descriptions', 'labels'),
  }),
}
export const keyword = {
  ...inAdGroup,
  ...below('ad_group_criterion', {
    ...bigint('criterion_id', 'cpc_bid_micros', 'quality_info.quality_score'),
    ...text('type', 'status', 'keyword.text', 'keyword.match_type', 'approval_status'),
    ...boolean('negative'),
    ...json('final_urls', 'labels'),
  }),
}
export const campaignCriterion = {
  ...inCampaign,
  ...below('campaign_criterion', {
    ...bigint('criterion_id'),
    ...text('type', 'status', 'keyword.text', 'keyword.match_type', 'location.geo_target_constant', 'user_list.user_list'),
    ...boolean('negative'),
    ...double('bid_modifier'),
  }),
}
export const asset = below('asset', {
  ...bigint('id'),
  ...text('name', 'type', 'source', 'text_asset.text', 'youtube_video_asset.youtube_video_id', 'image_asset.full_size.url'),
  ...json('final_urls'),
})
export const assetGroup = {
  ...inCampaign,
  ...below('asset_group', { ...bigint('id'), ...text('name', 'status', 'primary_status', 'ad_strength'), ...json('final_urls') }),
}
export const label = below('label', { ...bigint('id'), ...text('name', 'status', 'text_label.background_color', 'text_label.description') })
export const campaignLabel = { ...inCampaign, ...bigint('label.id'), ...text('label.name') }
export const adGroupLabel = { ...inAdGroup, ...bigint('label.id'), ...text('label.name') }
export const adLabel = { ...adGroupLabel, ...bigint('ad_group_ad.ad.id') }
export const audience = below('audience', { ...bigint('id'), ...text('name', 'status', 'description'), ...json('dimensions') })
export const userList = below('user_list', {
  ...bigint('id', 'membership_life_span', 'size_for_search', 'size_for_display', 'match_rate_percentage'),
  ...text('name', 'description', 'type', 'membership_status', 'size_range_for_search', 'size_range_for_display'),
  ...boolean('eligible_for_search', 'eligible_for_display'),
})
export const conversionAction = below('conversion_action', {
  ...bigint('id', 'click_through_lookback_window_days', 'view_through_lookback_window_days'),
  ...text('name', 'status', 'type', 'category', 'counting_type', 'attribution_model_settings.attribution_model'),
  ...boolean('primary_for_goal', 'include_in_conversions_metric'),
  ...double('value_settings.default_value'),
  ...text('value_settings.default_currency_code'),
})
export const geoTarget = below('geo_target_constant', {
  ...bigint('id'),
  ...text('name', 'canonical_name', 'country_code', 'target_type', 'status', 'parent_geo_target'),
})
export const changeStatus = below(
  'change_status',
  text('resource_name', 'last_change_date_time', 'resource_type', 'resource_status', 'campaign', 'ad_group', 'ad_group_ad', 'asset'),
)
export const changeEvent = below('change_event', {
  ...text('resource_name', 'change_date_time', 'change_resource_type', 'change_resource_name', 'resource_change_operation'),
  ...text('client_type', 'user_email', 'changed_fields', 'campaign', 'ad_group'),
  ...json('old_resource', 'new_resource'),
})
export const click: Columns = {
  'segments.date': 'date',
  ...inAdGroup,
  ...text('click_view.gclid', 'click_view.keyword', 'click_view.keyword_info.text', 'click_view.keyword_info.match_type'),
  ...text('click_view.ad_group_ad', 'click_view.area_of_interest.country', 'click_view.location_of_presence.country'),
  ...text('segments.ad_network_type', 'segments.device', 'segments.click_type'),
}

/** What tells the rows of a day's report apart, grain by grain. */
const day: Columns = { 'segments.date': 'date' }
const placed = text('segments.ad_network_type', 'segments.device')
export const ofAccount = { ...day, ...placed }
export const ofCampaign = { ...day, ...inCampaign, ...text('campaign.name'), ...placed }
export const ofAdGroup = { ...day, ...inAdGroup, ...text('ad_group.name'), ...placed }
export const ofAd = { ...day, ...inAdGroup, ...bigint('ad_group_ad.ad.id'), ...placed }
export const ofKeyword = {
  ...day,
  ...inAdGroup,
  ...bigint('ad_group_criterion.criterion_id'),
  ...text('ad_group_criterion.keyword.text', 'ad_group_criterion.keyword.match_type'),
}
export const ofSearchTerm = { ...day, ...inAdGroup, ...text('search_term_view.search_term', 'search_term_view.status') }
export const ofPlace = {
  ...day,
  ...inCampaign,
  ...bigint('geographic_view.country_criterion_id'),
  ...text('geographic_view.location_type'),
}
export const ofLandingPage = { ...day, ...text('landing_page_view.unexpanded_final_url') }
export const ofProduct = {
  ...day,
  ...inAdGroup,
  ...text('segments.product_item_id', 'segments.product_title', 'segments.product_brand', 'segments.product_country'),
  ...text('segments.product_type_l1', 'segments.product_channel', 'segments.device'),
}
export const ofConversionAction = {
  ...day,
  ...inCampaign,
  ...text('segments.conversion_action', 'segments.conversion_action_name', 'segments.conversion_action_category'),
}

/** Conversions are booked on the day of the click, so past days grow until the conversion window closes. */
export const conversions = below('metrics', double('conversions', 'conversions_value', 'all_conversions', 'all_conversions_value'))
/** Clicks found invalid are taken back with their cost for some days. */
export const productMetrics = { ...below('metrics', bigint('impressions', 'clicks', 'cost_micros')), ...conversions }
export const metrics = { ...productMetrics, ...below('metrics', bigint('interactions', 'view_through_conversions')) }
/** `average_cpc` is in micros though a double; an impression share of 0.0999 means "below 10 %", 0.9001 "above 90 %". */
export const campaignMetrics = { ...metrics, ...below('metrics', double('average_cpc', 'search_impression_share')) }
