/** Campaigns, ad sets, ads and what they show, as Graph writes them. Fields without a value are absent. */
import { createHash } from 'node:crypto'
import { type AdCampaign, runs, utmOf } from '../company/ads.js'
import { day } from '../company/catalogue.js'
import type { Times } from '../company/history.js'
import { type Account, adId, adSetId, campaignId, creativeId, type Place, stamp, videoId } from './accounts.js'
import { budgetOf, lifeOf, statusesOf } from './clockwork.js'

export type Json = Record<string, unknown>

/** An account at an instant. */
export interface At {
  times: Times
  account: Account
  nowMs: number
  /** Day before which there are no figures. */
  sinceMs: number
}

/** Budgets are in the currency's smallest unit, as text. */
const minor = (units: number) => String(units * 100)
const objectives: Record<string, string> = { leads: 'OUTCOME_LEADS', prospecting: 'OUTCOME_SALES', retargeting: 'OUTCOME_SALES' }
export const objectiveOf = ({ kind }: AdCampaign): string => objectives[kind] ?? 'OUTCOME_TRAFFIC'
export const goalOf = ({ kind }: AdCampaign): string => (kind === 'leads' ? 'LEAD_GENERATION' : 'OFFSITE_CONVERSIONS')

const statuses: Record<number, string> = { 1: 'ACTIVE', 2: 'DISABLED', 101: 'CLOSED' }

export function accountNode({ times, account, nowMs }: At, accountStatus: number): Json {
  return {
    id: `act_${account.id}`,
    account_id: account.id,
    name: account.name,
    currency: account.currency,
    timezone_name: account.timeZone,
    timezone_id: account.n === 0 ? 53 : 7,
    timezone_offset_hours_utc: Number(/([+-]\d\d)/.exec(stamp(account.timeZone, nowMs).slice(19))?.[1]),
    account_status: accountStatus,
    disable_reason: statuses[accountStatus] === 'DISABLED' ? 1 : 0,
    amount_spent: String(1_200_000 + Math.floor((nowMs - times.foundedMs) / day) * 13_107),
    balance: '48312',
    spend_cap: '0',
    created_time: stamp(account.timeZone, times.foundedMs),
    age: Math.floor((nowMs - times.foundedMs) / day),
    business_name: 'Acme',
  }
}

const edited = ({ times, account, nowMs }: At, one: AdCampaign, kind: 'campaign' | 'adset' | 'ad', n: number) => {
  const life = lifeOf(times, one, kind, n, nowMs)
  return {
    life,
    stamps: { created_time: stamp(account.timeZone, life.createdAtMs), updated_time: stamp(account.timeZone, life.updatedAtMs) },
    statuses: statusesOf(times, one, kind, n, nowMs),
  }
}

export function campaignNode(at: At, one: AdCampaign): Json {
  const { times, account } = at
  const { life, stamps, statuses } = edited(at, one, 'campaign', 0)
  const { fromMs, toMs } = runs(times, one)
  // The first account sets budgets on campaigns, the second on ad sets.
  const isHere = account.n === 0
  return {
    id: campaignId(one),
    account_id: account.id,
    name: one.name,
    objective: objectiveOf(one),
    buying_type: 'AUCTION',
    bid_strategy: 'LOWEST_COST_WITHOUT_CAP',
    ...(isHere ? { daily_budget: minor(budgetOf(one, life)), lifetime_budget: '0' } : {}),
    budget_remaining: isHere ? minor(Math.round(one.dailyBudget / 3)) : '0',
    special_ad_categories: [],
    source_campaign_id: '0',
    start_time: stamp(account.timeZone, fromMs),
    ...(Number.isFinite(toMs) ? { stop_time: stamp(account.timeZone, toMs) } : {}),
    ...statuses,
    ...stamps,
  }
}

export function adSetNode(at: At, one: AdCampaign, group: number): Json {
  const { times, account } = at
  const { life, stamps, statuses } = edited(at, one, 'adset', group)
  const { fromMs, toMs } = runs(times, one)
  const isHere = account.n === 1
  return {
    id: adSetId(one, group),
    account_id: account.id,
    campaign_id: campaignId(one),
    name: `${one.name} / ${group === 0 ? 'Broad' : `Interest ${group}`}`,
    optimization_goal: goalOf(one),
    billing_event: 'IMPRESSIONS',
    ...(isHere ? { daily_budget: minor(Math.ceil(budgetOf(one, life) / one.groups)), lifetime_budget: '0' } : {}),
    budget_remaining: '0',
    targeting: {
      age_min: 18,
      age_max: 65,
      geo_locations: { countries: [account.n === 0 ? 'DE' : 'US'], location_types: ['home', 'recent'] },
    },
    promoted_object: one.kind === 'leads' ? { page_id: '102030405060708' } : { pixel_id: '908070605040302', custom_event_type: 'PURCHASE' },
    attribution_spec: [
      { event_type: 'CLICK_THROUGH', window_days: 7 },
      { event_type: 'VIEW_THROUGH', window_days: 1 },
    ],
    start_time: stamp(account.timeZone, fromMs),
    ...(Number.isFinite(toMs) ? { end_time: stamp(account.timeZone, toMs) } : {}),
    // An empty map comes as a list.
    learning_stage_info: group === 0 ? [] : { status: 'SUCCESS', attribution_windows: ['7d_click', '1d_view'] },
    ...statuses,
    ...stamps,
  }
}

export function adNode(at: At, { campaign, group, ad }: Place): Json {
  const { stamps, statuses } = edited(at, campaign, 'ad', group * campaign.ads + ad)
  return {
    id: adId(campaign, group, ad),
    account_id: at.account.id,
    campaign_id: campaignId(campaign),
    adset_id: adSetId(campaign, group),
    name: adName(campaign, group, ad),
    creative: { id: creativeId(campaign, group, ad) },
    tracking_specs: [{ 'action.type': ['offsite_conversion'], fb_pixel: ['908070605040302'] }],
    conversion_specs: [{ 'action.type': ['offsite_conversion'] }],
    ...statuses,
    ...stamps,
  }
}

export const adName = ({ slug }: AdCampaign, group: number, ad: number): string =>
  `${slug} – ${group + 1}.${ad + 1} ${ad % 2 ? '🎥' : 'Bild'}`
const hashOf = (one: AdCampaign, group: number) => createHash('md5').update(`${one.slug}/${group}`).digest('hex')
const hasVideo = ({ ad }: Place) => ad % 2 === 1

export function creativeNode({ times, account, nowMs }: At, where: Place): Json {
  const { campaign, group, ad } = where
  const utm = new URLSearchParams({ ...utmOf(campaign), utm_content: adId(campaign, group, ad) }).toString()
  const hash = hashOf(campaign, group)
  const message = `${campaign.name}: ${ad % 2 ? 'Watch' : 'See'} what is new`
  const link = { link: 'https://shop.acme.example/', message, image_hash: hash, call_to_action: { type: 'SHOP_NOW' } }
  return {
    id: creativeId(campaign, group, ad),
    account_id: account.id,
    name: `${adName(campaign, group, ad)} ${new Date(times.foundedMs).toISOString().slice(0, 10)}`,
    title: campaign.name,
    body: message,
    status: 'ACTIVE',
    object_type: hasVideo(where) ? 'VIDEO' : 'SHARE',
    call_to_action_type: 'SHOP_NOW',
    object_story_spec: {
      page_id: '102030405060708',
      ...(hasVideo(where) ? { video_data: { video_id: videoId(campaign) } } : { link_data: link }),
    },
    effective_object_story_id: `102030405060708_${campaign.n}${group}${ad}`,
    url_tags: utm,
    ...(hasVideo(where) ? { video_id: videoId(campaign) } : { image_hash: hash, image_url: `https://scontent.example/${hash}.jpg` }),
    // A signed address: another one every day.
    thumbnail_url: `https://scontent.example/t/${hash}.jpg?oe=${Math.floor(nowMs / day).toString(16)}`,
  }
}

export function imageNode(at: At, one: AdCampaign, group: number): Json {
  const hash = hashOf(one, group)
  const { stamps } = edited(at, one, 'adset', group)
  const url = `https://scontent.example/${hash}.jpg`
  return {
    id: `${at.account.id}:${hash}`,
    account_id: at.account.id,
    hash,
    name: `${one.slug}-${group + 1}.jpg`,
    status: 'ACTIVE',
    width: 1080,
    height: 1350,
    original_width: 2160,
    original_height: 2700,
    url,
    url_128: `${url}?w=128`,
    permalink_url: `https://www.facebook.example/ads/image/?d=${hash.slice(0, 12)}`,
    ...stamps,
  }
}

export function videoNode(at: At, one: AdCampaign): Json {
  const { stamps } = edited(at, one, 'campaign', 1)
  return {
    id: videoId(one),
    account_id: at.account.id,
    title: one.name,
    length: 15.033,
    published: true,
    status: { video_status: 'ready' },
    picture: `https://scontent.example/v/${one.slug}.jpg`,
    permalink_url: `/watch/?v=${videoId(one)}`,
    ...stamps,
  }
}
