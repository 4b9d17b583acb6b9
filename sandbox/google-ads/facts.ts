/** What ads gave, cut to the grain that a query asks for. All sums are of whole numbers, so no cut loses anything. */
import { adDay } from '../company/ads.js'
import { day } from '../company/catalogue.js'
import { hash, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { dayStart, dayText } from './accounts.js'
import { type CampaignTree, type Entities, type Group, type Json, productsOf, type Row, termsOf } from './entities.js'

/** Cost in micros, conversions and their value in hundredths. */
export const counted = [
  'impressions',
  'clicks',
  'costMicros',
  'interactions',
  'viewThroughConversions',
  'conversions',
  'conversionsValue',
  'allConversions',
  'allConversionsValue',
] as const
export type Counts = Record<(typeof counted)[number], number>

export interface Fact {
  row: Row
  segments: Json
  counts: Counts
}

interface Part {
  share: number
  row?: Row
  segments?: Json
}

const even = <T>(items: readonly T[], of: (item: T) => Omit<Part, 'share'>): Part[] =>
  items.map((item) => ({ share: 1 / items.length, ...of(item) }))

/** Each part gets what its share comes to, rounded so that all parts together are the whole. */
function cut(counts: Counts, parts: readonly Part[]): Counts[] {
  let passed = 0
  return parts.map(({ share }, i) => {
    const before = passed
    passed = i === parts.length - 1 ? 1 : passed + share
    return Object.fromEntries(
      counted.map((name) => [name, Math.floor(counts[name] * passed) - Math.floor(counts[name] * before)]),
    ) as Counts
  })
}

export interface Span {
  fromMs: number
  toMs: number
  /** The account's wall clock. */
  nowMs: number
}

/** The facts of an account in the order of days. @param needed segments that the query names */
export function* facts(from: string, { trees, actions }: Entities, times: Times, span: Span, needed: ReadonlySet<string>): Iterable<Fact> {
  const last = Math.min(span.toMs, dayStart(span.nowMs))
  for (let at = span.fromMs; at <= last; at += day)
    for (const tree of trees.filter((one) => hasPart(from, one)))
      for (const group of tree.groups)
        for (const [a, ad] of group.ads.entries()) {
          const gave = adDay(times, tree.campaign, group.n, a, at, span.nowMs)
          if (gave === undefined) continue
          const counts: Counts = {
            impressions: gave.impressions,
            clicks: gave.clicks,
            costMicros: Number(gave.costMicros),
            interactions: gave.clicks,
            viewThroughConversions: Math.floor(gave.impressions / 2_000),
            conversions: Math.round(gave.conversions * 100),
            conversionsValue: Math.round(gave.conversionsValue * 100),
            allConversions: Math.round(gave.conversions * 118),
            allConversionsValue: Math.round(gave.conversionsValue * 118),
          }
          const base: Fact = { row: ad, segments: dated(at), counts }
          for (const part of divided([base], grain(from, tree, group, ad)))
            yield* divided(
              divided(
                divided([part], needed.has('segments.device') ? devices : []),
                needed.has('segments.ad_network_type') ? networks(tree, at, span.nowMs) : [],
              ),
              [...needed].some((name) => name.startsWith('segments.conversion_action')) ? converted(actions) : [],
            )
        }
}

function divided(whole: readonly Fact[], parts: readonly Part[]): Fact[] {
  if (parts.length === 0) return [...whole]
  return whole.flatMap((fact) =>
    cut(fact.counts, parts).map((counts, i) => ({
      row: { ...fact.row, ...parts[i]?.row },
      segments: { ...fact.segments, ...parts[i]?.segments },
      counts,
    })),
  )
}

/** The parts of an ad's day that a view shows. */
function grain(from: string, { campaign, row }: CampaignTree, group: Group, ad: Row): Part[] {
  const customer = String(row.customer?.id)
  const view = (kind: string, key: string | number) => `customers/${customer}/${kind}/${String(group.row.adGroup?.id)}~${key}`
  switch (from) {
    case 'keyword_view':
      return even(
        group.keywords.filter(({ adGroupCriterion }) => adGroupCriterion?.negative !== true),
        (keyword) => ({
          row: { ...keyword, keywordView: { resourceName: view('keywordViews', String(keyword.adGroupCriterion?.criterionId)) } },
        }),
      )
    case 'search_term_view':
      return even(termsOf(group.n + campaign.n), (term) => ({
        row: {
          searchTermView: {
            resourceName: view('searchTermViews', Buffer.from(term).toString('base64url')),
            searchTerm: term,
            status: term.endsWith('günstig') ? 'NONE' : 'ADDED',
            adGroup: group.row.adGroup?.resourceName,
          },
        },
      }))
    case 'geographic_view':
      return (campaign.account === 0 ? [2276, 2040, 2250] : [2840, 2124]).flatMap((country, i, all) =>
        (['LOCATION_OF_PRESENCE', 'AREA_OF_INTEREST'] as const).map((locationType, j) => ({
          share: (i === 0 ? 0.7 : 0.3 / (all.length - 1)) * (j === 0 ? 0.9 : 0.1),
          row: {
            geographicView: {
              resourceName: `customers/${customer}/geographicViews/${country}~${locationType}`,
              countryCriterionId: String(country),
              locationType,
            },
          },
        })),
      )
    case 'landing_page_view': {
      const [url] = ((ad.adGroupAd?.ad ?? {}) as { finalUrls?: string[] }).finalUrls ?? []
      return [
        {
          share: 1,
          row: {
            landingPageView: {
              resourceName: `customers/${customer}/landingPageViews/${String(place(url ?? ''))}`,
              unexpandedFinalUrl: url,
            },
          },
        },
      ]
    }
    case 'shopping_performance_view':
      return even(productsOf(campaign.n * 10 + group.n), ({ item, title, brand }) => ({
        row: { shoppingPerformanceView: { resourceName: `customers/${customer}/shoppingPerformanceView` } },
        segments: {
          productItemId: item,
          productTitle: title,
          ...(brand === undefined ? {} : { productBrand: brand }),
          productCountry: `geoTargetConstants/${campaign.account === 0 ? 2276 : 2840}`,
          productTypeL1: 'shoes',
          productChannel: 'ONLINE',
        },
      }))
    default:
      return []
  }
}

/** Is there anything of a campaign in a view? Shopping has no keywords, and search no products. */
const hasPart = (from: string, { campaign }: CampaignTree): boolean =>
  from === 'shopping_performance_view'
    ? campaign.kind === 'shopping'
    : from === 'keyword_view' || from === 'search_term_view'
      ? campaign.kind === 'search'
      : true

const devices: readonly Part[] = [
  { share: 0.58, segments: { device: 'MOBILE' } },
  { share: 0.34, segments: { device: 'DESKTOP' } },
  { share: 0.08, segments: { device: 'TABLET' } },
]

/** For two days shopping shows as one row of MIXED networks; then the same days are restated as several rows. */
function networks({ campaign }: CampaignTree, at: number, nowMs: number): Part[] {
  const two = (first: string, second: string, share: number): Part[] => [
    { share, segments: { adNetworkType: first } },
    { share: 1 - share, segments: { adNetworkType: second } },
  ]
  if (campaign.kind === 'search') return two('SEARCH', 'SEARCH_PARTNERS', 0.87)
  if (campaign.kind === 'shopping')
    return nowMs - at < 2 * day ? [{ share: 1, segments: { adNetworkType: 'MIXED' } }] : two('SEARCH', 'YOUTUBE', 0.9)
  return [{ share: 1, segments: { adNetworkType: campaign.kind === 'video' ? 'YOUTUBE' : 'CONTENT' } }]
}

const converted = (actions: readonly Json[]): Part[] =>
  actions.map(({ resourceName, name, category }, i) => ({
    share: i === 0 ? 0.8 : 0.2,
    segments: { conversionAction: resourceName, conversionActionName: name, conversionActionCategory: category },
  }))

const weekdays = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY']

/** A day under all its names; weeks begin on Monday, and each span is named by its first day. */
function dated(at: number): Json {
  const date = new Date(at)
  const [year, month, weekday] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDay()]
  return {
    date: dayText(at),
    week: dayText(at - ((weekday + 6) % 7) * day),
    month: dayText(Date.UTC(year, month, 1)),
    quarter: dayText(Date.UTC(year, month - (month % 3), 1)),
    year,
    dayOfWeek: weekdays[weekday],
  }
}

/** The metrics as they are shown. Averages are of micros and fractions; what has no base is not there. */
export function metricsOf(counts: Counts, of: string): Json {
  const hundredths = (cents: number) => cents / 100
  return {
    impressions: String(counts.impressions),
    clicks: String(counts.clicks),
    costMicros: String(counts.costMicros),
    interactions: String(counts.interactions),
    viewThroughConversions: String(counts.viewThroughConversions),
    conversions: hundredths(counts.conversions),
    conversionsValue: hundredths(counts.conversionsValue),
    allConversions: hundredths(counts.allConversions),
    allConversionsValue: hundredths(counts.allConversionsValue),
    ...(counts.clicks > 0 ? { averageCpc: counts.costMicros / counts.clicks } : {}),
    ...(counts.impressions > 0 ? { ctr: counts.clicks / counts.impressions, interactionEventTypes: ['CLICK'] } : {}),
    // Below a tenth it is told as 0.0999 only.
    ...(counts.impressions > 0 ? { searchImpressionShare: shareOf(of) } : {}),
  }
}

function shareOf(of: string): number {
  const share = (hash(7, place(of)) % 10_000) / 10_000
  return share < 0.1 ? 0.0999 : share > 0.9 ? 0.9001 : share
}
