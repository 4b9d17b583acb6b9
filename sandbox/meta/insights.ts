/** Reports: what was asked, checked as the vendor checks it, and its rows. Days are the account's own. */
import { type AdCampaign, adDay } from '../company/ads.js'
import { day } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { adId, adSetId, aheadMs, campaignId, type Place, placesOf } from './accounts.js'
import { checkBreakdowns, cutBy, needsOptIn, pieces } from './breakdowns.js'
import { invalidParameter, refuse } from './errors.js'
import { selection } from './fields.js'
import { add, figures, knownWindows, none, type Sums } from './metrics.js'
import { type At, adName, goalOf, type Json, objectiveOf } from './nodes.js'
import { jsonOf, listOf, type Parameters, textOf } from './parameters.js'

export const levels = ['account', 'campaign', 'adset', 'ad'] as const
export type Level = (typeof levels)[number]

export interface Question {
  level: Level
  fields: string[]
  breakdowns: string[]
  actionBreakdowns: string[]
  windows: string[]
  /** Midnights in UTC that stand for the account's days; both ends included. */
  sinceMs: number
  untilMs: number
  /** Days a row; undefined: one row for all. */
  increment: number | 'monthly' | undefined
  campaigns: ReadonlySet<string> | undefined
}

const fieldNames: ReadonlySet<string> = new Set(
  `account_id account_name account_currency campaign_id campaign_name adset_id adset_name ad_id ad_name objective optimization_goal attribution_setting
  buying_type impressions reach frequency spend clicks unique_clicks inline_link_clicks ctr cpc cpm cpp actions action_values conversions
  conversion_values cost_per_action_type purchase_roas outbound_clicks video_play_actions video_p25_watched_actions video_p50_watched_actions
  video_p75_watched_actions video_p100_watched_actions quality_ranking engagement_rate_ranking conversion_rate_ranking date_start date_stop created_time
  updated_time social_spend`.split(/\s+/),
)
const defaultFields = ['impressions', 'spend']
const reachFields: ReadonlySet<string> = new Set(['reach', 'frequency', 'cpp'])
/** Kept for 37 months. */
const retentionMs = 1_126 * day

const dayOf = (text: unknown): number => {
  const ms = typeof text === 'string' && /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(ms)) throw invalidParameter("param time_range['since'] must be a valid date in the format YYYY-MM-DD.")
  return ms
}
export const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
/** The account's calendar day at an instant, as a midnight in UTC. */
export const localDay = ({ account, nowMs }: At): number => Math.floor((nowMs + aheadMs(account.timeZone, nowMs)) / day) * day

export function question(parameters: Parameters, at: At): Question {
  const level = textOf(parameters, 'level') ?? 'account'
  if (!levels.includes(level as Level)) throw invalidParameter(`level must be one of the following values: ${levels.join(', ')}`)
  const given = textOf(parameters, 'fields')
  const fields = given === undefined ? defaultFields : selection(given).map(({ name }) => name)
  for (const name of fields)
    if (!fieldNames.has(name))
      throw invalidParameter(
        `${name} is not valid for fields param. please check https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values`,
      )
  const breakdowns = listOf(parameters, 'breakdowns')
  checkBreakdowns(breakdowns)
  if (breakdowns.some((one) => one.startsWith('hourly_')) && fields.some((one) => one.startsWith('video_')))
    throw refuse({ code: 2, subcode: 1_504_041, message: '(#2) video fields cannot be combined with hourly breakdowns' })
  const windows = listOf(parameters, 'action_attribution_windows')
  for (const one of windows)
    if (!knownWindows.has(one))
      throw invalidParameter(`action_attribution_windows[0] must be one of the following values: ${[...knownWindows].join(', ')}`)
  const range = jsonOf(parameters, 'time_range') as { since?: unknown; until?: unknown } | undefined
  const today = localDay(at)
  const sinceMs = range ? dayOf(range.since) : today - 30 * day
  const untilMs = range ? dayOf(range.until) : today - day
  if (sinceMs > untilMs) throw invalidParameter('time_range: since must not be after until.')
  if (sinceMs < today - retentionMs)
    throw refuse({
      code: 3018,
      message: '(#3018) The start date of the time range cannot be beyond 37 months from the current date',
      title: 'Startdatum',
    })
  const increment = textOf(parameters, 'time_increment') ?? 'all_days'
  const filters = (jsonOf(parameters, 'filtering') ?? []) as { field: string; operator: string; value: unknown }[]
  const campaigns = filters.find(({ field, operator }) => field === 'campaign.id' && operator === 'IN')
  return {
    level: level as Level,
    fields,
    breakdowns,
    actionBreakdowns: listOf(parameters, 'action_breakdowns').filter((one) => one !== 'action_type'),
    windows,
    sinceMs,
    untilMs,
    increment: increment === 'all_days' ? undefined : increment === 'monthly' ? 'monthly' : Number(increment),
    campaigns: campaigns ? new Set((campaigns.value as unknown[]).map(String)) : undefined,
  }
}

const Vanish = place('rows that vanish')
const numberOf = ({ campaign, group, ad }: Place) => campaign.n * 10_000 + group * 100 + ad

/** An ad's day as Graph counts it; one in a hundred vanishes after three days, as invalid traffic does. */
function sumsOf(times: Times, where: Place, dayMs: number, localNow: number): Sums | undefined {
  const found = adDay(times, where.campaign, where.group, where.ad, dayMs, localNow)
  if (!found || found.impressions === 0) return undefined
  if (localNow - dayMs >= 3 * day && new Dice(times.seed, Vanish, numberOf(where), dayMs / day).chance(0.01)) return undefined
  const { impressions, clicks, costMicros, conversions, conversionsValue } = found
  const isLeads = where.campaign.kind === 'leads'
  return {
    impressions,
    clicks,
    cents: Number(costMicros / 10_000n),
    reach: Math.max(1, Math.round(impressions * 0.83)),
    purchases: isLeads ? 0 : Math.round(conversions),
    valueCents: isLeads || Math.round(conversions) === 0 ? 0 : Math.round(conversionsValue * 100),
    leads: isLeads ? Math.round(conversions) : 0,
    videoPlays: where.ad % 2 ? Math.round(impressions * 0.3) : 0,
  }
}

interface Row {
  keys: Json
  sums: Sums
  campaign: AdCampaign | undefined
  dayMs: number
}

/** The rows of a report, in the order of days and ids. `isSync`: asked for at once, where some breakdowns give nothing. */
export function rowsOf(asked: Question, at: At, isSync: boolean): Json[] {
  if (isSync && asked.breakdowns.some((one) => needsOptIn.has(one))) return []
  const rows = new Map<string, Row>()
  const places = placesOf(at.account)
  const localNow = at.nowMs + aheadMs(at.account.timeZone, at.nowMs)
  const last = Math.min(asked.untilMs, localDay(at))
  for (let dayMs = Math.max(asked.sinceMs, Math.floor(at.sinceMs / day) * day); dayMs <= last; dayMs += day) {
    for (const where of places) {
      if (asked.campaigns && !asked.campaigns.has(campaignId(where.campaign))) continue
      const sums = sumsOf(at.times, where, dayMs, localNow)
      if (!sums) continue
      const parts = pieces(asked.breakdowns, at.account.n, at.times.seed, numberOf(where), dayMs / day)
      const shares = parts.map(({ share }) => share)
      const cuts = Object.entries(sums).map(([name, total]) => [name, cutBy(total, shares)] as const)
      for (const [i, { values }] of parts.entries()) {
        const part = { ...none(), ...Object.fromEntries(cuts.map(([name, cut]) => [name, cut[i]])) } as Sums
        if (part.impressions > 0) gather(rows, asked, at, where, dayMs, values, part)
      }
    }
  }
  return [...rows.values()].map((row) => shown(asked, at, row))
}

function gather(rows: Map<string, Row>, asked: Question, at: At, where: Place, dayMs: number, values: Json, part: Sums): void {
  const span = spanOf(asked, dayMs)
  const keys: Json = { ...labels(asked.level, at, where), ...span, ...values }
  const key = JSON.stringify([span.date_start, keys.campaign_id, keys.adset_id, keys.ad_id, values])
  const known = rows.get(key)
  if (known) add(known.sums, part)
  else rows.set(key, { keys, sums: { ...part }, campaign: asked.level === 'account' ? undefined : where.campaign, dayMs })
}

function spanOf({ sinceMs, untilMs, increment }: Question, dayMs: number): { date_start: string; date_stop: string } {
  if (increment === undefined) return { date_start: dateOf(sinceMs), date_stop: dateOf(untilMs) }
  if (increment === 'monthly') {
    const at = new Date(dayMs)
    const from = Math.max(sinceMs, Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1))
    return { date_start: dateOf(from), date_stop: dateOf(Math.min(untilMs, Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0))) }
  }
  const from = sinceMs + Math.floor((dayMs - sinceMs) / (increment * day)) * increment * day
  return { date_start: dateOf(from), date_stop: dateOf(Math.min(untilMs, from + (increment - 1) * day)) }
}

function labels(level: Level, { account }: At, { campaign, group, ad }: Place): Json {
  const depth = levels.indexOf(level)
  return {
    account_id: account.id,
    account_name: account.name,
    account_currency: account.currency,
    ...(depth >= 1
      ? { campaign_id: campaignId(campaign), campaign_name: campaign.name, objective: objectiveOf(campaign), buying_type: 'AUCTION' }
      : {}),
    ...(depth >= 2
      ? {
          adset_id: adSetId(campaign, group),
          adset_name: `${campaign.name} / ${group}`,
          optimization_goal: goalOf(campaign),
          attribution_setting: '7d_click_1d_view',
        }
      : {}),
    ...(depth >= 3 ? { ad_id: adId(campaign, group, ad), ad_name: adName(campaign, group, ad) } : {}),
  }
}

/** The fields asked for, and what comes in any case: the days and the breakdowns. */
function shown({ fields, windows, actionBreakdowns, breakdowns, level }: Question, at: At, { keys, sums, campaign, dayMs }: Row): Json {
  const all: Json = { ...keys, ...figures(sums, level === 'ad' ? campaign : undefined, dayMs, { windows, actionBreakdowns }) }
  // Beyond 13 months reach by breakdowns is left out without a word.
  const isOld = breakdowns.length > 0 && dayMs < at.nowMs - 396 * day
  const row: Json = {}
  for (const name of fields) if (all[name] !== undefined && !(isOld && reachFields.has(name))) row[name] = all[name]
  for (const name of ['date_start', 'date_stop', ...breakdowns]) if (all[name] !== undefined) row[name] = all[name]
  return row
}
