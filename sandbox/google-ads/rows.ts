/** The rows of each resource as it stands: what the FROM clause names, with what may be selected beside it. */
import { createHash } from 'node:crypto'
import { day } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { type Account, accounts, dayStart, levelBelow, wallMs } from './accounts.js'
import { changesOf } from './changes.js'
import { customerOf, type Entities, type Json, type Row } from './entities.js'
import { facts, type Span } from './facts.js'
import type { UserList } from './user-lists.js'

export interface World {
  account: Account
  entities: Entities
  times: Times
  span: Span
  /** This many changes more, all made at one instant of the day before. */
  bulkChanges: number
  /** User lists that were made while the sandbox runs. */
  lists: readonly UserList[]
}

const Clicks = place('clicks')
const geo = [
  [2276, 'Germany', 'DE', 'Country'],
  [2040, 'Austria', 'AT', 'Country'],
  [2250, 'France', 'FR', 'Country'],
  [2840, 'United States', 'US', 'Country'],
  [2124, 'Canada', 'CA', 'Country'],
  [1003854, 'Berlin', 'DE', 'City'],
  [1023191, 'New York', 'US', 'City'],
] as const

/** Things without metrics; undefined for views that exist only as what ads gave. */
export function standing(from: string, world: World): Row[] | undefined {
  const { account, entities } = world
  const { customer, trees, labels, actions } = entities
  const name = (kind: string, id: string | number) => `customers/${account.id}/${kind}/${id}`
  const of = (resource: string, items: readonly Json[]): Row[] => items.map((item) => ({ customer, [resource]: item }))
  const groups = trees.flatMap((tree) => tree.groups)
  const labelled = (rows: readonly Row[], owner: string, resource: string): Row[] =>
    rows.flatMap((row) =>
      ((row[owner]?.labels as string[] | undefined) ?? []).map((label) => ({
        ...row,
        label: labels.find(({ resourceName }) => resourceName === label) ?? {},
        [resource]: { resourceName: `${String(row[owner]?.resourceName)}~${label}`, [owner]: row[owner]?.resourceName, label },
      })),
    )
  switch (from) {
    case 'customer':
      return [{ customer }]
    case 'customer_client':
      return accounts.flatMap((one): Row[] => {
        const level = levelBelow(one, account.id)
        if (level === undefined) return []
        const { resourceName, id, descriptiveName, currencyCode, timeZone, manager, testAccount, status } = customerOf(one)
        const shown = { id, descriptiveName, currencyCode, timeZone, manager, testAccount, status, hidden: false }
        const client = { ...shown, clientCustomer: resourceName, level: String(level), resourceName: name('customerClients', one.id) }
        return [{ customer, customerClient: client }]
      })
    case 'campaign':
      return trees.map(({ row }) => row)
    case 'campaign_budget':
      return trees.map(({ row }) => ({ customer, campaignBudget: row.campaignBudget ?? {} }))
    case 'bidding_strategy':
      return of(
        'biddingStrategy',
        account.test
          ? []
          : [
              {
                resourceName: name('biddingStrategies', 51),
                id: '51',
                name: 'Portfolio – CPA',
                status: 'ENABLED',
                type: 'TARGET_CPA',
                currencyCode: account.currency,
                campaignCount: '0',
                targetCpa: { targetCpaMicros: '21000000' },
              },
            ],
      )
    case 'campaign_criterion':
      return trees.flatMap(({ row, campaign }) =>
        [campaign.account === 0 ? 2276 : 2840, 900_001].map((id, n) => ({
          ...row,
          campaignCriterion: {
            resourceName: `${String(row.campaign?.resourceName)}~${id}`,
            criterionId: String(id),
            status: 'ENABLED',
            negative: n === 1,
            ...(n === 0
              ? { type: 'LOCATION', location: { geoTargetConstant: `geoTargetConstants/${id}` }, bidModifier: 1.15 }
              : { type: 'KEYWORD', keyword: { text: 'kostenlos', matchType: 'BROAD' } }),
          },
        })),
      )
    case 'ad_group':
      return groups.map(({ row }) => row)
    case 'ad_group_ad':
      return groups.flatMap(({ ads }) => ads)
    case 'ad_group_criterion':
      return groups.flatMap(({ keywords }) => keywords)
    case 'asset':
      return trees.flatMap(({ campaign }) => [
        {
          customer,
          asset: {
            resourceName: name('assets', 8_000 + campaign.n),
            id: String(8_000 + campaign.n),
            name: campaign.name,
            type: 'TEXT',
            source: 'ADVERTISER',
            textAsset: { text: campaign.name },
          },
        },
        {
          customer,
          asset: {
            resourceName: name('assets', 8_500 + campaign.n),
            id: String(8_500 + campaign.n),
            type: 'YOUTUBE_VIDEO',
            source: 'ADVERTISER',
            youtubeVideoAsset: { youtubeVideoId: `v${campaign.n}xX_-0` },
            finalUrls: [],
          },
        },
      ])
    case 'asset_group':
      return trees
        .filter(({ campaign }) => campaign.kind === 'shopping')
        .map(({ row, campaign }) => ({
          ...row,
          assetGroup: {
            resourceName: name('assetGroups', 9_000 + campaign.n),
            id: String(9_000 + campaign.n),
            name: campaign.name,
            status: 'ENABLED',
            primaryStatus: 'ELIGIBLE',
            adStrength: 'AVERAGE',
            finalUrls: ['https://shop.example/'],
          },
        }))
    case 'label':
      return of('label', account.test ? [] : labels)
    case 'campaign_label':
      return labelled(
        trees.map(({ row }) => row),
        'campaign',
        'campaignLabel',
      )
    case 'ad_group_label':
      return labelled(
        groups.map(({ row }) => row),
        'adGroup',
        'adGroupLabel',
      )
    case 'ad_group_ad_label':
      return labelled(
        groups.flatMap(({ ads }) => ads),
        'adGroupAd',
        'adGroupAdLabel',
      )
    case 'audience':
      return of(
        'audience',
        account.holds === undefined
          ? []
          : [
              {
                resourceName: name('audiences', 61),
                id: '61',
                name: 'Buyers, 18–34',
                status: 'ENABLED',
                dimensions: [{ age: { ageRanges: [{ minAge: 18, maxAge: 34 }] } }],
              },
            ],
      )
    case 'user_list':
      return of('userList', [
        ...['All visitors', 'High value'].map((text, n) => ({
          resourceName: name('userLists', 5_100 + n),
          id: String(5_100 + n),
          name: text,
          description: '',
          membershipStatus: 'OPEN',
          membershipLifeSpan: n === 0 ? '30' : '540',
          type: n === 0 ? 'REMARKETING' : 'CRM_BASED',
          sizeRangeForSearch: 'ONE_THOUSAND_TO_TEN_THOUSAND',
          eligibleForSearch: true,
          eligibleForDisplay: n === 0,
          ...(n === 0 ? { sizeForSearch: '5400', sizeForDisplay: '8800' } : { matchRatePercentage: 57 }),
        })),
        // Sizes are not there until they are computed.
        ...world.lists.map(({ id, name: text, status, durationSeconds }) => ({
          resourceName: name('userLists', id),
          id,
          name: text,
          description: '',
          membershipStatus: status,
          membershipLifeSpan: String(durationSeconds / 86_400),
          type: 'CRM_BASED',
          eligibleForSearch: true,
          eligibleForDisplay: true,
        })),
      ])
    case 'conversion_action':
      return of('conversionAction', actions)
    case 'geo_target_constant':
      return geo.map(([id, text, countryCode, targetType]) => ({
        geoTargetConstant: {
          resourceName: `geoTargetConstants/${id}`,
          id: String(id),
          name: text,
          canonicalName: text,
          countryCode,
          targetType,
          status: 'ENABLED',
        },
      }))
    case 'change_status':
    case 'change_event':
      return changesOf(from, world)
    case 'click_view':
      return [...clicks(world)]
    default:
      return undefined
  }
}

/** Single clicks: of each ad's day about every twentieth, so that a test's company stays small. */
function* clicks({ account, entities, times, span }: World): Iterable<Row> {
  const needed = new Set(['segments.device', 'segments.ad_network_type'])
  for (const { row, segments, counts } of facts('click_view', entities, times, span, needed))
    for (let n = 0; n < Math.ceil(counts.clicks / 20); n++) {
      const ad = String(row.adGroupAd?.resourceName)
      const what = [ad, segments.date, segments.device, segments.adNetworkType, n].join(' ')
      const dice = new Dice(times.seed, Clicks, place(what))
      const gclid = `Cj0KCQ${createHash('sha256').update(what).digest('base64url')}`
      yield {
        ...row,
        segments: { ...segments, clickType: 'HEADLINE' },
        metrics: { clicks: '1' },
        clickView: {
          resourceName: `customers/${account.id}/clickViews/${String(segments.date)}~${gclid}`,
          gclid,
          adGroupAd: ad,
          ...(dice.chance(0.5) ? { keywordInfo: { text: 'schuhe kaufen', matchType: 'PHRASE' } } : {}),
          locationOfPresence: { country: `geoTargetConstants/${account.holds === 0 ? 2276 : 2840}` },
        },
      }
    }
}

/** The span of days that a range means on an account's calendar, no further back than figures are kept here. */
export const spanOf = (account: Account, nowMs: number, from: number, to: number, sinceMs: number): Span => ({
  fromMs: Math.max(dayStart(from), sinceMs),
  toMs: Math.min(dayStart(to), nowMs + day),
  nowMs: wallMs(account, nowMs),
})
