/** Marketing objects: e-mails with their figures, and campaigns, whose utm_campaign is that of the ads they ran with. */
import { adCampaigns, runs } from '../company/ads.js'
import { campaign, day } from '../company/catalogue.js'
import { Dice, place, uuid } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { iso } from './rows.js'

const M = place('hubspot marketing')
/** The CRM sends every third of the company's e-mail campaigns. */
export const isSentHere = ({ channel }: { channel: string }, n: number) => channel === 'email' && n % 3 === 0

export const campaignGuid = ({ seed }: Times, n: number) => uuid(seed, M, place('campaign'), n)
export const marketingEmailId = (n: number) => String(n < 30 ? 11 + n * 3 : 184_000_000_000 + n)

/** E-mails that exist at an instant, by id. Their figures grow for weeks and move no date of theirs. */
export function marketingEmails(times: Times, nowMs: number, withStats: boolean): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = []
  for (let n = 0; ; n++) {
    const sent = campaign(times.seed, times.foundedMs, n)
    if (sent.createdAtMs > nowMs + 14 * day) break
    if (sent.createdAtMs > nowMs || !isSentHere(sent, n)) continue
    const isOut = sent.sendAtMs !== null && sent.sendAtMs <= nowMs
    const of = adCampaigns[n % adCampaigns.length] as (typeof adCampaigns)[number]
    found.push({
      id: marketingEmailId(n),
      name: sent.name,
      subject: `${sent.name} ✨`,
      state: isOut ? 'PUBLISHED' : sent.sendAtMs === null ? 'DRAFT' : 'SCHEDULED',
      type: n % 4 === 0 ? 'AUTOMATED_EMAIL' : 'BATCH_EMAIL',
      subcategory: 'batch',
      language: 'en',
      campaign: n % 2 === 0 ? campaignGuid(times, of.n) : null,
      campaignName: n % 2 === 0 ? of.name : null,
      from: { fromName: 'Shop', replyTo: 'hello@shop.example' },
      to: { contactLists: { include: ['8'], exclude: [] }, suppressGraymail: true },
      isAb: false,
      isPublished: isOut,
      archived: false,
      sendOnPublish: true,
      publishDate: sent.sendAtMs === null ? null : iso(sent.sendAtMs),
      createdAt: iso(sent.createdAtMs),
      updatedAt: iso(isOut ? (sent.sendAtMs as number) : sent.createdAtMs),
      ...(withStats ? { stats: stats(times.seed, n, isOut ? nowMs - (sent.sendAtMs as number) : 0) } : {}),
    })
  }
  return found
}

function stats(seed: number, n: number, ageMs: number): Record<string, unknown> {
  const dice = new Dice(seed, M, n)
  const sent = ageMs === 0 ? 0 : 200 + dice.below(400)
  const open = Math.floor(sent * (0.2 + 0.2 * dice.next()) * Math.min(1, ageMs / (21 * day)))
  const click = Math.floor(open * 0.2)
  const counters = {
    sent,
    delivered: sent - Math.floor(sent / 50),
    open,
    click,
    bounce: Math.floor(sent / 50),
    unsubscribed: Math.floor(open / 40),
  }
  return {
    counters,
    ratios: {
      openratio: sent === 0 ? 0 : (100 * open) / counters.delivered,
      clickratio: sent === 0 ? 0 : (100 * click) / counters.delivered,
    },
    deviceBreakdown: { open_device_type: { computer: open - Math.floor(open / 3), mobile: Math.floor(open / 3), unknown: 0 } },
    qualifierStats: {},
  }
}

/** Campaigns with the properties that are asked for; the API gives no others. */
export function marketingCampaigns(times: Times, asked?: readonly string[]): Record<string, unknown>[] {
  return adCampaigns.map((one) => {
    const { fromMs, toMs } = runs(times, one)
    const all: Record<string, string | null> = {
      hs_name: one.name,
      hs_start_date: iso(fromMs).slice(0, 10),
      hs_end_date: Number.isFinite(toMs) ? iso(toMs).slice(0, 10) : null,
      hs_campaign_status: Number.isFinite(toMs) ? 'completed' : 'in_progress',
      hs_utm: one.slug,
      hs_notes: one.n % 3 === 0 ? 'Reviewed weekly.\nOwner: growth' : null,
      hs_audience: null,
      hs_currency_code: one.account === 0 ? 'EUR' : 'USD',
    }
    return {
      id: campaignGuid(times, one.n),
      properties: Object.fromEntries(Object.entries(all).filter(([name]) => asked?.includes(name) ?? true)),
      businessUnits: one.account === 0 ? [] : [{ id: 1 }],
      createdAt: iso(fromMs - 3 * day),
      updatedAt: iso(Math.min(Number.isFinite(toMs) ? toMs : fromMs, times.openedMs)),
    }
  })
}
