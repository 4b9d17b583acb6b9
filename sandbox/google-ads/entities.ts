/** Campaigns and all that hangs on them, as the API shows them: ids as text, enums by name, nothing where nothing is set. */
import { type AdCampaign, adCampaigns, runs, utmOf } from '../company/ads.js'
import { day } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { goods } from '../company/words.js'
import { type Account, dayStart, dayText, wallMs } from './accounts.js'

export type Json = Record<string, unknown>
/** One line of a query's answer before fields are picked: resource → its members. */
export type Row = Record<string, Json>

export interface Group {
  n: number
  row: Row
  ads: Row[]
  keywords: Row[]
}
export interface CampaignTree {
  campaign: AdCampaign
  row: Row
  groups: Group[]
}
export interface Entities {
  customer: Json
  trees: CampaignTree[]
  labels: Json[]
  actions: Json[]
}

const Shape = place('google ads')
/** Beyond what a double holds: whoever reads ids as numbers doubles or loses ads. */
const firstAd = 9_007_199_254_740_993n
const channels = { search: 'SEARCH', shopping: 'SHOPPING', display: 'DISPLAY', video: 'VIDEO' } as Record<string, string>
const groupTypes = {
  search: 'SEARCH_STANDARD',
  shopping: 'SHOPPING_PRODUCT_ADS',
  display: 'DISPLAY_STANDARD',
  video: 'VIDEO_TRUE_VIEW_IN_STREAM',
} as Record<string, string>
const adTypes = {
  search: 'RESPONSIVE_SEARCH_AD',
  shopping: 'SHOPPING_PRODUCT_AD',
  display: 'RESPONSIVE_DISPLAY_AD',
  video: 'VIDEO_RESPONSIVE_AD',
} as Record<string, string>
const matchTypes = ['EXACT', 'PHRASE', 'BROAD']
const wanted = ['schuhe kaufen', 'running shoes', 'acme shop', 'größe 42 „breit“', 'best price sneakers', "women's boots", '運動靴']

/** Search terms and products of a group; texts are untidy as people's are. */
export const termsOf = (group: number) => [0, 1, 2].map((n) => `${wanted[(group + n) % wanted.length]} ${n === 2 ? 'günstig' : 'online'}`)
export const productsOf = (group: number) =>
  [0, 1, 2].map((n) => ({
    item: `sku-${group}-${n}`,
    title: goods[(group * 3 + n) % goods.length] as string,
    ...(n === 2 ? {} : { brand: 'Acme' }),
  }))

export function customerOf(account: Account): Json {
  return {
    resourceName: `customers/${account.id}`,
    id: account.id,
    descriptiveName: account.name,
    currencyCode: account.currency,
    timeZone: account.timeZone,
    manager: account.manager,
    testAccount: account.test,
    status: account.status,
    autoTaggingEnabled: !account.manager,
    ...(account.manager
      ? {}
      : { optimizationScore: 0.7321428571428571, conversionTrackingSetting: { conversionTrackingId: `99${account.id}` } }),
  }
}

const labelNames = ['Q4', 'Brand', 'Prüfen!']

export function entitiesOf(account: Account, times: Times): Entities {
  const customer = customerOf(account)
  const name = (kind: string, ...ids: (string | number)[]) => `customers/${account.id}/${kind}/${ids.join('~')}`
  const labels = labelNames.map((text, n) => ({
    resourceName: name('labels', 700 + n),
    id: String(700 + n),
    name: text,
    status: 'ENABLED',
    textLabel: { backgroundColor: '#e993eb', ...(n === 0 ? { description: 'Set by the agency' } : {}) },
  }))
  const actions = ['Purchase', 'Lead form'].map((text, n) => ({
    resourceName: name('conversionActions', 4_000 + n),
    id: String(4_000 + n),
    name: text,
    status: 'ENABLED',
    type: n === 0 ? 'WEBPAGE' : 'UPLOAD_CLICKS',
    category: n === 0 ? 'PURCHASE' : 'SUBMIT_LEAD_FORM',
    countingType: n === 0 ? 'MANY_PER_CLICK' : 'ONE_PER_CLICK',
    primaryForGoal: true,
    includeInConversionsMetric: true,
    clickThroughLookbackWindowDays: '30',
    viewThroughLookbackWindowDays: '1',
    attributionModelSettings: { attributionModel: 'GOOGLE_SEARCH_ATTRIBUTION_DATA_DRIVEN' },
    valueSettings: { defaultValue: n === 0 ? 0 : 12.5, defaultCurrencyCode: account.currency },
  }))

  const trees = adCampaigns
    .filter(({ network, account: of }) => network === 'google' && of === account.holds)
    .map((campaign): CampaignTree => {
      const dice = new Dice(times.seed, Shape, campaign.n)
      const id = String(20_000_000_000 + campaign.n * 7)
      const { fromMs, toMs } = runs(times, campaign)
      // Whatever ends has ended before the sandbox opens.
      const isOver = Number.isFinite(toMs)
      const label = labels[campaign.n % 4]
      const wall = (ms: number, time: string) => `${dayText(dayStart(wallMs(account, ms)))} ${time}`
      const url = `https://shop.example/${campaign.slug}?${new URLSearchParams(utmOf(campaign)).toString()}`
      const row: Row = {
        customer,
        campaign: {
          resourceName: name('campaigns', id),
          id,
          name: campaign.name,
          status: isOver ? 'REMOVED' : campaign.n % 5 === 4 ? 'PAUSED' : 'ENABLED',
          servingStatus: isOver ? 'ENDED' : 'SERVING',
          primaryStatus: isOver ? 'REMOVED' : 'ELIGIBLE',
          advertisingChannelType: channels[campaign.kind],
          biddingStrategyType: campaign.kind === 'search' ? 'TARGET_CPA' : 'MAXIMIZE_CONVERSION_VALUE',
          campaignBudget: name('campaignBudgets', 30_000 + campaign.n),
          startDateTime: wall(fromMs, '00:00:00'),
          ...(Number.isFinite(toMs) ? { endDateTime: wall(toMs - day, '23:59:59') } : {}),
          ...(label === undefined ? {} : { labels: [label.resourceName] }),
          ...(campaign.kind === 'display'
            ? { frequencyCaps: [{ key: { level: 'CAMPAIGN', timeUnit: 'DAY', timeLength: 1 }, cap: 4 }] }
            : {}),
          ...(campaign.kind === 'search' ? { targetCpa: { targetCpaMicros: '18500000' } } : { targetRoas: { targetRoas: 3.5 } }),
          optimizationScore: Math.round(dice.next() * 1e6) / 1e6,
          networkSettings: { targetGoogleSearch: campaign.kind === 'search', targetSearchNetwork: true, targetContentNetwork: false },
          finalUrlSuffix: new URLSearchParams(utmOf(campaign)).toString(),
        },
        campaignBudget: {
          resourceName: name('campaignBudgets', 30_000 + campaign.n),
          id: String(30_000 + campaign.n),
          name: campaign.name,
          status: isOver ? 'REMOVED' : 'ENABLED',
          amountMicros: String(campaign.dailyBudget * 1_000_000),
          period: 'DAILY',
          deliveryMethod: 'STANDARD',
          explicitlyShared: false,
          referenceCount: '1',
          type: 'STANDARD',
        },
      }
      const groups = Array.from({ length: campaign.groups }, (_, g): Group => {
        const groupId = String(60_000_000 + campaign.n * 100 + g)
        const groupLabel = g === 0 ? label : undefined
        const below: Row = {
          ...row,
          adGroup: {
            resourceName: name('adGroups', groupId),
            id: groupId,
            name: `${campaign.name} – ${g + 1}`,
            status: g === 1 && campaign.n % 3 === 0 ? 'PAUSED' : 'ENABLED',
            type: groupTypes[campaign.kind],
            campaign: row.campaign?.resourceName,
            cpcBidMicros: String(400_000 + dice.below(90) * 10_000),
            ...(groupLabel === undefined ? {} : { labels: [groupLabel.resourceName] }),
          },
        }
        const ads = Array.from({ length: campaign.ads }, (_, a): Row => {
          const adId = String(firstAd + BigInt(campaign.n * 10_000 + g * 100 + a))
          const isSearch = campaign.kind === 'search'
          const adLabel = a === 0 ? groupLabel : undefined
          return {
            ...below,
            adGroupAd: {
              resourceName: name('adGroupAds', groupId, adId),
              adGroup: below.adGroup?.resourceName,
              status: 'ENABLED',
              ...(isSearch ? { adStrength: 'GOOD' } : {}),
              ad: {
                id: adId,
                type: adTypes[campaign.kind],
                ...(isSearch ? {} : { name: `${campaign.slug} ${a + 1}` }),
                finalUrls: [`${url}&utm_content=${g + 1}`],
                ...(isSearch
                  ? {
                      responsiveSearchAd: {
                        headlines: [{ text: campaign.name, pinnedField: 'HEADLINE_1' }],
                        descriptions: [{ text: 'Jetzt kaufen' }],
                      },
                    }
                  : {}),
              },
              policySummary: { approvalStatus: a === 3 ? 'APPROVED_LIMITED' : 'APPROVED', reviewStatus: 'REVIEWED' },
              ...(adLabel === undefined ? {} : { labels: [adLabel.resourceName] }),
            },
          }
        })
        // An id is given again in other groups: it is unique within one only.
        const keywords = (campaign.kind === 'search' ? [0, 1, 2] : []).map(
          (k): Row => ({
            ...below,
            adGroupCriterion: {
              resourceName: name('adGroupCriteria', groupId, 800 + k),
              criterionId: String(800 + k),
              type: 'KEYWORD',
              status: 'ENABLED',
              negative: k === 2,
              keyword: { text: wanted[(g + k) % wanted.length], matchType: matchTypes[k] },
              ...(k === 2 ? {} : { cpcBidMicros: String(500_000 + k * 30_000), qualityInfo: { qualityScore: 6 + k } }),
              approvalStatus: 'APPROVED',
            },
          }),
        )
        return { n: g, row: below, ads, keywords }
      })
      return { campaign, row, groups }
    })
  return { customer, trees, labels, actions }
}
