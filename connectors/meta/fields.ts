import type { Fields, FieldType } from '../../src/core/types.js'

/** Columns by type. Ids are text: they pass what a double holds. Whatever is named here is asked for by name. */
function columns(named: Partial<Record<FieldType, string>>): Fields {
  const entries = Object.entries(named).flatMap(([type, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, { type: type as FieldType }] as const),
  )
  return Object.fromEntries(entries)
}

// `owner`, `business` and `funding_source_details` need more rights than ads_read, and one that is refused refuses the whole call.
export const adAccount = columns({
  text: 'id account_id name currency timezone_name',
  bigint: 'account_status disable_reason amount_spent balance spend_cap',
  numeric: 'timezone_offset_hours_utc',
  timestamp: 'created_time',
})

const lifeOf = { text: 'id account_id name status configured_status effective_status', timestamp: 'created_time updated_time' }

/** Budgets are in the currency's smallest unit. */
export const campaign = columns({
  text: `${lifeOf.text} objective buying_type bid_strategy source_campaign_id`,
  bigint: 'daily_budget lifetime_budget budget_remaining spend_cap',
  json: 'special_ad_categories issues_info',
  timestamp: `${lifeOf.timestamp} start_time stop_time`,
})

export const adSet = columns({
  text: `${lifeOf.text} campaign_id optimization_goal billing_event`,
  bigint: 'bid_amount daily_budget lifetime_budget budget_remaining',
  json: 'targeting promoted_object attribution_spec learning_stage_info',
  timestamp: `${lifeOf.timestamp} start_time end_time`,
})

export const ad = columns({
  text: `${lifeOf.text} campaign_id adset_id`,
  bigint: 'bid_amount',
  json: 'creative tracking_specs conversion_specs recommendations',
  timestamp: lifeOf.timestamp,
})

/** `thumbnail_url` is signed and expires: another one in every read. */
export const creative = columns({
  text: `id account_id name title body status object_type call_to_action_type effective_object_story_id video_id image_hash image_url
    thumbnail_url url_tags`,
  json: 'object_story_spec asset_feed_spec',
})

export const image = columns({
  text: 'id account_id hash name status url permalink_url',
  bigint: 'width height original_width original_height',
  timestamp: 'created_time updated_time',
})

export const video = columns({
  text: 'id account_id title description picture permalink_url',
  numeric: 'length',
  boolean: 'published',
  json: 'status',
  timestamp: 'created_time updated_time',
})

/** `rule` is left out: it makes pages too large. Times come as unix seconds and are written as instants. */
export const customAudience = columns({
  text: 'id account_id name subtype',
  bigint: 'approximate_count_lower_bound approximate_count_upper_bound retention_days',
  json: 'delivery_status operation_status data_source lookalike_spec',
  timestamp: 'time_created time_updated time_content_updated',
})

export const customConversion = columns({
  text: 'id account_id name custom_event_type rule',
  boolean: 'is_archived',
  numeric: 'default_conversion_value',
  json: 'data_sources',
  timestamp: 'creation_time first_fired_time last_fired_time',
})

/** `id` is ours: a fingerprint, since the vendor gives none. */
export const activity = columns({
  text: 'id account_id event_type translated_event_type actor_id object_id object_name object_type extra_data',
  timestamp: 'event_time',
})

/** What any report may hold. Figures come as text and are whole or decimal; shares are percents, spend is in whole units of the currency. */
export const insight = columns({
  text: `account_id account_name account_currency account_timezone_name campaign_id campaign_name adset_id adset_name ad_id ad_name objective
    optimization_goal attribution_setting buying_type quality_ranking engagement_rate_ranking conversion_rate_ranking`,
  date: 'date_start date_stop',
  bigint: 'impressions reach clicks unique_clicks inline_link_clicks',
  numeric: 'spend frequency ctr cpc cpm cpp social_spend',
  json: `actions action_values unique_actions conversions conversion_values cost_per_action_type purchase_roas website_purchase_roas outbound_clicks
    video_play_actions video_p25_watched_actions video_p50_watched_actions video_p75_watched_actions video_p100_watched_actions`,
})

/** Names to ask for; what we add ourselves is not among them. */
export const namesOf = (fields: Fields, but: readonly string[] = []): string[] => Object.keys(fields).filter((name) => !but.includes(name))
