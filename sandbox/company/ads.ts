/** The company's advertising: campaigns of both ad networks, whom they brought, and what each day of an ad gave. */
import { day } from './catalogue.js'
import { Dice, place } from './dice.js'
import type { Times } from './history.js'
import type { Person } from './people.js'

export type Network = 'google' | 'meta'

/** A campaign of an ad network. Its `slug` is the utm_campaign of every link in its ads: CRM and e-mail tool know it by that. */
export interface AdCampaign {
  n: number
  network: Network
  /** Which of the network's accounts of the company: 0 trades in euros (Berlin), 1 in dollars (New York). */
  account: 0 | 1
  name: string
  slug: string
  kind: 'search' | 'shopping' | 'display' | 'video' | 'prospecting' | 'retargeting' | 'leads'
  /** Before the day on which the sandbox opens. */
  startedDaysBefore: number
  /** Undefined: it still runs. */
  endedDaysBefore?: number
  /** Whole units of the account's currency a day. */
  dailyBudget: number
  /** Ad groups (Google) or ad sets (Meta), and ads in each. */
  groups: number
  ads: number
}

const campaign = (
  network: Network,
  account: 0 | 1,
  kind: AdCampaign['kind'],
  name: string,
  slug: string,
  [startedDaysBefore, endedDaysBefore]: readonly [number, number?],
  dailyBudget: number,
  [groups, ads]: readonly [number, number],
) => ({
  network,
  account,
  kind,
  name,
  slug,
  startedDaysBefore,
  ...(endedDaysBefore === undefined ? {} : { endedDaysBefore }),
  dailyBudget,
  groups,
  ads,
})

export const adCampaigns: readonly AdCampaign[] = [
  campaign('google', 0, 'search', 'Brand – DE', 'brand-de', [700], 60, [2, 3]),
  campaign('google', 0, 'search', 'Generic shoes – DE', 'generic-shoes-de', [520], 140, [4, 3]),
  campaign('google', 0, 'shopping', 'Shopping – all products', 'shopping-all', [640], 210, [3, 2]),
  campaign('google', 0, 'search', 'Wettbewerber – Größen & Preise', 'competitors-de', [300, 45], 35, [2, 2]),
  campaign('google', 0, 'display', 'Display – remarketing', 'display-rmkt', [410], 45, [2, 4]),
  campaign('google', 1, 'search', 'Brand – US', 'brand-us', [480], 80, [2, 3]),
  campaign('google', 1, 'search', 'Generic shoes – US', 'generic-shoes-us', [455], 190, [3, 3]),
  campaign('google', 1, 'video', 'Video – spring launch', 'spring-launch-video', [250, 190], 120, [2, 2]),
  campaign('google', 1, 'shopping', 'Shopping – clearance', 'clearance-us', [90], 75, [2, 2]),
  campaign('meta', 0, 'prospecting', 'Prospecting – lookalikes DE', 'meta-prospecting-de', [610], 110, [3, 4]),
  campaign('meta', 0, 'retargeting', 'Retargeting – cart 14d', 'meta-cart-14d', [590], 40, [2, 3]),
  campaign('meta', 0, 'leads', 'Lead form – trade fair', 'meta-trade-fair', [210, 150], 55, [1, 3]),
  campaign('meta', 0, 'prospecting', 'Été – France', 'meta-ete-france', [170, 60], 70, [2, 3]),
  campaign('meta', 1, 'prospecting', 'Prospecting – broad US', 'meta-broad-us', [430], 160, [3, 4]),
  campaign('meta', 1, 'retargeting', 'Retargeting – visitors 30d', 'meta-visitors-30d', [420], 50, [2, 3]),
  campaign('meta', 1, 'prospecting', 'Black Friday – early access', 'meta-bf-early', [20], 240, [2, 4]),
].map((one, n) => ({ ...one, n }) as AdCampaign)

export const adAccounts = {
  0: { currency: 'EUR', timeZone: 'Europe/Berlin' },
  1: { currency: 'USD', timeZone: 'America/New_York' },
} as const

/** Instants between which a campaign runs; one without an end runs on. */
export function runs({ openedMs }: Times, { startedDaysBefore, endedDaysBefore }: AdCampaign): { fromMs: number; toMs: number } {
  const at = (daysBefore: number) => openedMs - daysBefore * day
  return { fromMs: at(startedDaysBefore), toMs: endedDaysBefore === undefined ? Number.POSITIVE_INFINITY : at(endedDaysBefore) }
}

const Brought = place('brought by an ad')
const Days = place('days of ads')

/** The campaign that brought a person: about every third came by one that ran when they joined. */
export function broughtBy(times: Times, who: Person): AdCampaign | undefined {
  const dice = new Dice(times.seed, Brought, who.n)
  if (!dice.chance(0.35)) return undefined
  const running = adCampaigns.filter((one) => {
    const { fromMs, toMs } = runs(times, one)
    return who.joinedAtMs >= fromMs && who.joinedAtMs < toMs
  })
  return running.length === 0 ? undefined : dice.pick(running)
}

/** The parameters that a link of an ad carries. */
export const utmOf = ({ network, kind, slug }: AdCampaign) => ({
  utm_source: network === 'google' ? 'google' : 'facebook',
  utm_medium: kind === 'display' ? 'display' : network === 'google' ? 'cpc' : 'paid_social',
  utm_campaign: slug,
})

/** What one ad gave on one day. Costs in millionths of the currency, conversions with fractions. */
export interface AdDay {
  impressions: number
  clicks: number
  costMicros: bigint
  conversions: number
  conversionsValue: number
}

/** Days after which a day's figures no longer change. */
export const settledDays = 28

/**
 * One ad's day as the network tells it at `nowMs`; undefined when nothing ran. Days are restated: clicks found invalid are taken back
 * with their cost two days later, and conversions come in over four weeks.
 * @param dayMs the day's midnight, in UTC, as the number that stands for the account's calendar day
 */
export function adDay(times: Times, one: AdCampaign, group: number, ad: number, dayMs: number, nowMs: number): AdDay | undefined {
  const { fromMs, toMs } = runs(times, one)
  if (dayMs < Math.floor(fromMs / day) * day || dayMs >= toMs || dayMs > nowMs) return undefined
  const dice = new Dice(times.seed, Days, one.n * 1_000 + group * 50 + ad, Math.floor(dayMs / day))
  // Some ads rest on some days: such a row is missing, not zero.
  if (dice.chance(0.04)) return undefined
  const age = Math.min(settledDays, Math.floor((nowMs - dayMs) / day))
  const partOfToday = Math.min(1, (nowMs - dayMs) / day)
  const share = (0.6 + dice.next() * 0.8) / (one.groups * one.ads)
  const spent = one.dailyBudget * share * partOfToday
  const perClick = 0.35 + dice.next() * 1.4
  const tracked = Math.max(0, Math.round(spent / perClick))
  const invalid = age >= 2 ? Math.round(tracked * dice.next() * 0.06) : 0
  const clicks = tracked - invalid
  const impressions = Math.round(tracked * (18 + dice.next() * 60)) + dice.below(20)
  const converting = clicks * (0.01 + dice.next() * 0.05)
  const arrived = 0.55 + (0.45 * age) / settledDays
  const conversions = Math.round(converting * arrived * 100) / 100
  return {
    impressions,
    clicks,
    costMicros: BigInt(Math.round(clicks * perClick * 100)) * 10_000n,
    conversions,
    conversionsValue: Math.round(conversions * (25 + dice.next() * 80) * 100) / 100,
  }
}
