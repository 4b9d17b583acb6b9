/** The company's properties, and what each day brought them from Google's search. */
import { day } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { goods } from '../company/words.js'

export const sites = [
  { siteUrl: 'sc-domain:acme.example', permissionLevel: 'siteOwner' },
  { siteUrl: 'https://shop.acme.example/', permissionLevel: 'siteRestrictedUser' },
  // Somebody added it once, and never proved to own it.
  { siteUrl: 'https://old.acme.example/', permissionLevel: 'siteUnverifiedUser' },
] as const

/** One way in which one page was shown. */
export interface Fact {
  page: string
  query: string
  country: string
  device: string
  clicks: number
  impressions: number
  /** Of each impression, added up. */
  positions: number
  /** Few people searched for it: it counts, and its words are never shown. */
  isRare: boolean
}

const pages = (host: string) => [
  `${host}/`,
  `${host}/blog/gr%C3%B6%C3%9Fen`,
  // Longer than an index of a database takes.
  `${host}/search?filter=${'color%3Ablue%2C'.repeat(220)}`,
  ...goods.map((good) => `${host}/p/${encodeURIComponent(good.toLowerCase())}`),
]
const queries = [
  'acme',
  'acme shop',
  'größe 42',
  'cadeau de noël',
  'ポーチ',
  'best "gift" & more',
  ...goods.map((good) => good.toLowerCase()),
]
const places = ['deu', 'usa', 'fra', 'jpn', 'zzz'] as const
const devices = ['DESKTOP', 'MOBILE', 'TABLET'] as const
const Days = place('days of searches')
const perDay = 60

/** Days are California's; eight hours serve for both of its times. */
const zoneMs = 8 * 3_600_000
/** Whole days after its end until a day's figures are final. */
const finalDays = 2
const keptDays = 486

/** Is a day shown? Final ones alone; without that word also those that are not. @param dayMs its midnight, as if it were one in UTC */
export function isShown(dayMs: number, nowMs: number, withFresh: boolean): boolean {
  const today = Math.floor((nowMs - zoneMs) / day) * day
  return dayMs <= today - (withFresh ? 0 : finalDays + 1) * day && dayMs > today - keptDays * day
}

/** What one day brought one property, each way once. @param type of search; another one is another world */
export function factsOf(times: Times, site: number, type: string, dayMs: number): Fact[] {
  const host = site === 0 ? 'https://www.acme.example' : 'https://shop.acme.example'
  const dice = new Dice(times.seed, Days, site, place(type), Math.floor(dayMs / day))
  // Now and then nobody comes: such a day is missing, not zero.
  if (dice.chance(0.05)) return []
  const facts = new Map<string, Fact>()
  for (let n = 0; n < perDay; n++) {
    const at = { page: dice.pick(pages(host)), query: dice.pick(queries), country: dice.pick(places), device: dice.pick(devices) }
    const impressions = 1 + dice.below(90)
    const positions = Math.round(impressions * (1 + dice.next() * 40))
    const clicks = dice.below(1 + Math.ceil(impressions / 6))
    facts.set(JSON.stringify(at), { ...at, clicks, impressions, positions, isRare: dice.chance(0.15) })
  }
  return [...facts.values()]
}

/** Sitemaps of a property. The second shop's has never been fetched. */
export const sitemapsOf = (site: number, times: Times) => {
  const host = site === 0 ? 'https://www.acme.example' : 'https://shop.acme.example'
  const at = (days: number) => new Date(times.openedMs - days * day).toISOString()
  const base = {
    path: `${host}/sitemap.xml`,
    lastSubmitted: at(300),
    isSitemapsIndex: site === 0,
    warnings: '0',
    errors: site === 0 ? '0' : '2',
  }
  return site === 0
    ? [
        { ...base, isPending: false, lastDownloaded: at(1), contents: [{ type: 'web', submitted: '1204', indexed: '0' }] },
        {
          ...base,
          path: `${host}/news.rss`,
          type: 'rssFeed',
          isSitemapsIndex: false,
          isPending: false,
          lastDownloaded: at(2),
          contents: [],
        },
      ]
    : [{ ...base, isPending: true }]
}
