/** The company's two ad accounts and the ids of what hangs below them. */
import { type AdCampaign, adAccounts, adCampaigns } from '../company/ads.js'

export interface Account {
  n: 0 | 1
  /** Digits; the node's id has `act_` before them. */
  id: string
  name: string
  currency: string
  timeZone: string
}

export const accounts: readonly Account[] = ([0, 1] as const).map((n) => ({
  n,
  id: String(101_020_304_050_60n + BigInt(n)),
  name: n === 0 ? 'Acme Europe' : 'Acme US',
  ...adAccounts[n],
}))

export const campaignsOf = ({ n }: Account): AdCampaign[] =>
  adCampaigns.filter(({ network, account }) => network === 'meta' && account === n)

/** An ad's place in the company: campaign, ad set, ad. */
export interface Place {
  campaign: AdCampaign
  group: number
  ad: number
}

export const placesOf = (account: Account): Place[] =>
  campaignsOf(account).flatMap((campaign) =>
    Array.from({ length: campaign.groups * campaign.ads }, (_, i) => ({
      campaign,
      group: Math.floor(i / campaign.ads),
      ad: i % campaign.ads,
    })),
  )

// Ids are larger than a double holds: whoever takes them for numbers changes them.
const base = 120_210_000_000_000_000n
const idOf = (kind: bigint, n: number) => String(base + kind * 100_000_000n + BigInt(n))
export const campaignId = ({ n }: AdCampaign): string => idOf(1n, n)
export const adSetId = ({ n }: AdCampaign, group: number): string => idOf(2n, n * 100 + group)
export const adId = ({ n }: AdCampaign, group: number, ad: number): string => idOf(3n, n * 10_000 + group * 100 + ad)
export const creativeId = ({ n }: AdCampaign, group: number, ad: number): string => idOf(4n, n * 10_000 + group * 100 + ad)
export const videoId = ({ n }: AdCampaign): string => idOf(5n, n)
export const audienceId = (account: Account, i: number): string => idOf(6n, account.n * 100 + i)
export const conversionId = (account: Account, i: number): string => idOf(7n, account.n * 100 + i)

const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
const clocks = new Map(
  accounts.map(({ timeZone }) => [timeZone, new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...numeric })]),
)

/** Milliseconds by which the account's clock is ahead of UTC at an instant. */
export function aheadMs(timeZone: string, atMs: number): number {
  const parts = clocks.get(timeZone)?.formatToParts(atMs) ?? []
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value)
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return local - Math.floor(atMs / 1000) * 1000
}

/** An instant as Graph writes it: the account's own offset, without a colon. */
export function stamp(timeZone: string, atMs: number): string {
  const ahead = aheadMs(timeZone, atMs)
  const minutes = Math.abs(ahead) / 60_000
  const offset = `${ahead < 0 ? '-' : '+'}${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`
  return new Date(atMs + ahead).toISOString().slice(0, 19) + offset
}
