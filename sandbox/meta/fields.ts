/** What may be asked of each kind of node, and the selection by `fields`. Without it a node shows its id and little else. */
import { invalidParameter } from './errors.js'
import type { Json } from './nodes.js'

const words = (text: string) => new Set(text.trim().split(/\s+/))

/** Fields that exist, whether they hold something here or not. */
const known: Record<string, ReadonlySet<string>> = {
  AdAccount:
    words(`id account_id name currency timezone_name timezone_id timezone_offset_hours_utc account_status disable_reason amount_spent balance
    spend_cap created_time age business_name business owner funding_source_details min_daily_budget`),
  Campaign:
    words(`id account_id name objective status configured_status effective_status buying_type bid_strategy daily_budget lifetime_budget
    budget_remaining spend_cap special_ad_categories start_time stop_time created_time updated_time source_campaign_id issues_info promoted_object`),
  AdSet:
    words(`id account_id campaign_id name status configured_status effective_status optimization_goal billing_event bid_amount bid_strategy daily_budget
    lifetime_budget budget_remaining targeting promoted_object attribution_spec start_time end_time created_time updated_time learning_stage_info issues_info`),
  Ad: words(`id account_id campaign_id adset_id name status configured_status effective_status creative tracking_specs conversion_specs bid_amount targeting
    recommendations created_time updated_time issues_info`),
  AdCreative:
    words(`id account_id name title body status object_type call_to_action_type object_story_spec asset_feed_spec effective_object_story_id
    object_story_id url_tags video_id image_hash image_url thumbnail_url instagram_permalink_url link_url`),
  AdImage: words(
    `id account_id hash name status width height original_width original_height url url_128 permalink_url created_time updated_time creatives`,
  ),
  AdVideo: words(`id account_id title description length published status picture permalink_url source created_time updated_time`),
  CustomAudience:
    words(`id account_id name description subtype approximate_count_lower_bound approximate_count_upper_bound delivery_status operation_status
    data_source retention_days time_created time_updated time_content_updated lookalike_spec rule opt_out_link`),
  CustomConversion:
    words(`id account_id name description custom_event_type rule is_archived is_unavailable creation_time first_fired_time last_fired_time
    default_conversion_value data_sources event_source_type`),
  AdActivity:
    words(`event_time event_type translated_event_type actor_id actor_name object_id object_name object_type extra_data application_id
    application_name date_time_in_timezone`),
  AdReportRun:
    words(`id account_id time_ref time_completed async_status async_percent_completion is_running date_start date_stop error_code error_subcode
    error_message error_user_title error_user_msg schedule_id`),
}

/** Shown when no fields are named. */
const defaults: Record<string, readonly string[]> = {
  AdAccount: ['id', 'account_id'],
  AdImage: ['id', 'hash'],
  AdActivity: ['event_time', 'event_type', 'actor_id', 'object_id', 'extra_data'],
  AdReportRun: ['id', 'account_id', 'time_ref', 'time_completed', 'async_status', 'async_percent_completion', 'date_start', 'date_stop'],
}

export interface Selected {
  name: string
  /** What follows in braces. */
  below?: string
}

/** `id,creative{id,name}` → its parts. */
export function selection(text: string): Selected[] {
  const parts: Selected[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    const c = text[at]
    if (c === '{') depth++
    if (c === '}') depth--
    if (at < text.length && (c !== ',' || depth > 0)) continue
    const [, name = '', below] = /^\s*([\w.]+)(?:\{(.*)\})?\s*$/s.exec(text.slice(from, at)) ?? []
    if (name !== '') parts.push({ name, ...(below === undefined ? {} : { below }) })
    from = at + 1
  }
  return parts
}

/** The parts asked for, checked against what exists. @throws Refused that names the first that does not. */
export function chosen(type: string, fields: string | undefined): Selected[] {
  const parts = fields === undefined || fields === '' ? (defaults[type] ?? ['id']).map((name) => ({ name })) : selection(fields)
  for (const { name } of parts)
    if (!known[type]?.has(name)) throw invalidParameter(`Tried accessing nonexisting field (${name}) on node type (${type})`)
  return parts
}

/** The node with these parts alone. `id` comes in any case where a node has one; what is null is left out. */
export function pick(node: Json, parts: readonly Selected[]): Json {
  const shown: Json = {}
  for (const { name, below } of parts) {
    const value = node[name]
    if (value === undefined || value === null) continue
    const isObject = below !== undefined && typeof value === 'object' && !Array.isArray(value)
    shown[name] = isObject ? pick(value as Json, selection(below)) : value
  }
  return node.id === undefined ? shown : { ...shown, id: node.id }
}
