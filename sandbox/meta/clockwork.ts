/** When things in an ad account were made and edited: computed from the clock, so that the account needs no memory. */
import { type AdCampaign, runs } from '../company/ads.js'
import { day, hour } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Times } from '../company/history.js'

const Edits = place('edits of ads')

export type Kind = 'campaign' | 'adset' | 'ad'
const kinds: Record<Kind, number> = { campaign: 1, adset: 2, ad: 3 }

export interface Life {
  createdAtMs: number
  /** Every edit up to now, oldest first. Delivery that stops or starts is none: it does not move `updated_time`. */
  editedAtMs: readonly number[]
  updatedAtMs: number
}

/** The life of a campaign (`n` 0), of one of its ad sets or ads, as it stands at `nowMs`. */
export function lifeOf(times: Times, one: AdCampaign, kind: Kind, n: number, nowMs: number): Life {
  const dice = new Dice(times.seed, Edits, kinds[kind], one.n, n)
  const { fromMs, toMs } = runs(times, one)
  const createdAtMs = fromMs - 2 * day + dice.below(24) * hour + dice.below(3_600) * 1_000
  const everyMs = (5 + dice.below(20)) * day
  const editedAtMs: number[] = []
  for (let at = createdAtMs + everyMs; at <= Math.min(nowMs, toMs); at += everyMs + dice.below(40) * hour) editedAtMs.push(at)
  return { createdAtMs, editedAtMs, updatedAtMs: editedAtMs.at(-1) ?? createdAtMs }
}

/** Whole units of the currency a day, as the latest edit left them. */
export const budgetOf = (one: AdCampaign, { editedAtMs }: Life): number => one.dailyBudget + (editedAtMs.length % 4) * 5

const Delivery = place('delivery')

export interface Statuses {
  status: string
  configured_status: string
  effective_status: string
}

/** Campaigns that ended long ago are archived; of the ads in an ended one every third is deleted. On some days an ad's delivery has issues. */
export function statusesOf(times: Times, one: AdCampaign, kind: Kind, n: number, nowMs: number): Statuses {
  const both = (status: string, effective = status) => ({ status, configured_status: status, effective_status: effective })
  if (one.endedDaysBefore !== undefined) {
    if (kind === 'ad' && n % 3 === 2) return both('DELETED')
    if (one.endedDaysBefore > 100) return both('ARCHIVED')
    if (kind === 'campaign') return both('PAUSED')
    return both('ACTIVE', 'CAMPAIGN_PAUSED')
  }
  const hasIssues = kind === 'ad' && new Dice(times.seed, Delivery, one.n, n, Math.floor(nowMs / day)).chance(0.05)
  return both('ACTIVE', hasIssues ? 'WITH_ISSUES' : 'ACTIVE')
}
