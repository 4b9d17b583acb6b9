/** The figures of a report's row: sums of ads' days, written as Graph writes them. Everything numeric is text, and what is zero is absent. */
import type { AdCampaign } from '../company/ads.js'
import type { Json } from './nodes.js'

/** Figures that may be added up. */
export interface Sums {
  impressions: number
  clicks: number
  cents: number
  reach: number
  purchases: number
  /** Of the purchases' value. */
  valueCents: number
  leads: number
  videoPlays: number
}

export const none = (): Sums => ({ impressions: 0, clicks: 0, cents: 0, reach: 0, purchases: 0, valueCents: 0, leads: 0, videoPlays: 0 })

export function add(to: Sums, more: Sums): void {
  for (const key of Object.keys(to) as (keyof Sums)[]) to[key] += more[key]
}

const money = (cents: number) => (cents / 100).toFixed(2).replace(/\.?0+$/, '') || '0'
const ratio = (a: number, b: number) => String(Number((a / b).toFixed(6)))

/** Windows that hold something. 7d_view and 28d_view are taken and give nothing since 2026-01-12. */
const shares: Record<string, number> = {
  '1d_click': 0.55,
  '7d_click': 0.85,
  '28d_click': 0.95,
  '1d_view': 0.15,
  '1d_ev': 0.05,
  incrementality: 0.4,
}
export const knownWindows: ReadonlySet<string> = new Set([...Object.keys(shares), 'default', '7d_view', '28d_view', '7d_ev', 'dda'])

export interface Stats {
  windows: readonly string[]
  /** Beside action_type, which is always there. */
  actionBreakdowns: readonly string[]
}

type Count = readonly [type: string, value: number]

function stats(counts: readonly Count[], write: (value: number) => string, { windows, actionBreakdowns }: Stats): Json[] | undefined {
  const found = counts.filter(([, value]) => value > 0)
  if (found.length === 0) return undefined
  return found.flatMap(([type, value]) => {
    const inWindows = (part: number) =>
      Object.fromEntries(
        windows
          .filter((one) => Math.round(part * (shares[one] ?? 0)) > 0)
          .map((one) => [one, write(Math.round(part * (shares[one] ?? 0)))]),
      )
    const element = (part: number, keys: Json): Json => ({ action_type: type, ...keys, value: write(part), ...inWindows(part) })
    const [extra] = actionBreakdowns
    if (extra === undefined) return [element(value, {})]
    const first = Math.ceil(value * 0.7)
    return [element(first, { [extra]: 'mobile_app' }), ...(value > first ? [element(value - first, { [extra]: 'desktop' })] : [])]
  })
}

/** All figures of a row that hold something; who asks picks from them. */
export function figures(sums: Sums, campaign: AdCampaign | undefined, dayMs: number, given: Stats): Json {
  const { impressions, clicks, cents, reach, purchases, valueCents, leads, videoPlays } = sums
  const links = Math.round(clicks * 0.8)
  const actions: Count[] = [
    ['link_click', links],
    ['landing_page_view', Math.round(links * 0.7)],
    ['video_view', videoPlays],
    // Types contain one another: adding them up would count twice.
    ['lead', leads],
    ['onsite_conversion.lead_grouped', leads],
    ['omni_purchase', purchases],
    ['purchase', purchases],
    ['offsite_conversion.fb_pixel_purchase', purchases],
    // A type that nobody has seen before.
    ...(dayMs >= Date.UTC(2026, 10, 10) ? ([['offsite_conversion.custom.120210000700000000', Math.round(purchases / 2)]] as Count[]) : []),
  ]
  const bought: Count[] = ['omni_purchase', 'purchase', 'offsite_conversion.fb_pixel_purchase'].map((type) => [type, valueCents] as const)
  const costs: Count[] = actions.filter(([, n]) => n > 0).map(([type, n]) => [type, cents / n] as const)
  const plain: Stats = { windows: [], actionBreakdowns: [] }
  const lists: Record<string, Json[] | undefined> = {
    actions: stats(actions, String, given),
    action_values: stats(bought, money, given),
    conversions: stats([['subscribe_total', Math.floor(purchases / 5)]], String, given),
    cost_per_action_type: stats(costs, (value) => String(Number((value / 100).toFixed(6))), plain),
    purchase_roas:
      cents > 0 ? stats([['omni_purchase', valueCents / cents]], (value) => String(Number(value.toFixed(6))), plain) : undefined,
    outbound_clicks: stats([['outbound_click', Math.round(links * 0.9)]], String, given),
    video_play_actions: stats([['video_view', videoPlays]], String, given),
    video_p25_watched_actions: stats([['video_view', Math.round(videoPlays * 0.6)]], String, given),
    video_p50_watched_actions: stats([['video_view', Math.round(videoPlays * 0.35)]], String, given),
    video_p75_watched_actions: stats([['video_view', Math.round(videoPlays * 0.2)]], String, given),
    video_p100_watched_actions: stats([['video_view', Math.round(videoPlays * 0.1)]], String, given),
  }
  return {
    impressions: String(impressions),
    clicks: String(clicks),
    unique_clicks: String(Math.round(clicks * 0.94)),
    spend: money(cents),
    inline_link_clicks: String(links),
    reach: String(reach),
    ...(reach > 0 ? { frequency: ratio(impressions, reach), cpp: ratio(cents * 10, reach) } : {}),
    ...(impressions > 0 ? { ctr: ratio(clicks * 100, impressions), cpm: ratio(cents * 10, impressions) } : {}),
    ...(clicks > 0 ? { cpc: ratio(cents / 100, clicks) } : {}),
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined)),
    ...(campaign
      ? {
          quality_ranking: impressions < 500 ? 'UNKNOWN' : 'AVERAGE',
          engagement_rate_ranking: 'UNKNOWN',
          conversion_rate_ranking: 'UNKNOWN',
        }
      : {}),
  }
}
