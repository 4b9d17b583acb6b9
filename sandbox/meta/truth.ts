/** What each stream holds now, as the vendor would show it: the other side of a row-by-row comparison. */
import { accounts, campaignsOf, placesOf } from './accounts.js'
import { activityNodes, audienceNodes, conversionNodes } from './audiences.js'
import { type Level, localDay, rowsOf } from './insights.js'
import { type At, accountNode, adNode, adSetNode, campaignNode, creativeNode, imageNode, type Json, videoNode } from './nodes.js'

/** Nodes of an account, one function an edge; deleted and archived ones too. */
export const edges: Record<string, { type: string; nodes: (at: At) => Json[] }> = {
  campaigns: { type: 'Campaign', nodes: (at) => campaignsOf(at.account).map((one) => campaignNode(at, one)) },
  adsets: {
    type: 'AdSet',
    nodes: (at) => campaignsOf(at.account).flatMap((one) => groups(one.groups).map((group) => adSetNode(at, one, group))),
  },
  ads: { type: 'Ad', nodes: (at) => placesOf(at.account).map((where) => adNode(at, where)) },
  adcreatives: { type: 'AdCreative', nodes: (at) => placesOf(at.account).map((where) => creativeNode(at, where)) },
  adimages: {
    type: 'AdImage',
    nodes: (at) => campaignsOf(at.account).flatMap((one) => groups(one.groups).map((group) => imageNode(at, one, group))),
  },
  advideos: { type: 'AdVideo', nodes: (at) => campaignsOf(at.account).map((one) => videoNode(at, one)) },
  customaudiences: { type: 'CustomAudience', nodes: audienceNodes },
  customconversions: { type: 'CustomConversion', nodes: conversionNodes },
  activities: { type: 'AdActivity', nodes: activityNodes },
}

const groups = (count: number) => Array.from({ length: count }, (_, i) => i)

export type MetaTruth = Record<string, () => Json[]>

/** Fields of the reports, as a marketing team asks for them. */
const reportFields =
  `account_id account_name account_currency campaign_id campaign_name adset_id adset_name ad_id ad_name objective optimization_goal
  attribution_setting buying_type impressions reach frequency spend clicks unique_clicks inline_link_clicks ctr cpc cpm actions action_values conversions
  cost_per_action_type purchase_roas outbound_clicks video_play_actions video_p25_watched_actions video_p50_watched_actions video_p75_watched_actions
  video_p100_watched_actions quality_ranking engagement_rate_ranking conversion_rate_ranking date_start date_stop`.split(/\s+/)
const day = 86_400_000
const shownWindows = ['1d_click', '7d_click', '28d_click', '1d_view']

export function truthOf(ats: () => At[], status: (id: string) => number): MetaTruth {
  const all = (edge: string) => () =>
    ats().flatMap((at) => (edges[edge] as (typeof edges)[string]).nodes(at).map((node) => ({ account_id: at.account.id, ...node })))
  /** Every day that an account has had. */
  const report =
    (level: Level, breakdowns: string[] = []) =>
    () =>
      ats().flatMap((at) => {
        const sinceMs = Math.floor(at.times.foundedMs / day) * day
        const asked = {
          level,
          breakdowns,
          fields: reportFields,
          actionBreakdowns: [],
          windows: shownWindows,
          sinceMs,
          untilMs: localDay(at),
          increment: 1,
          campaigns: undefined,
        }
        return rowsOf(asked, at, false)
      })
  return {
    ad_accounts: () => ats().map((at) => accountNode(at, status(at.account.id))),
    campaigns: all('campaigns'),
    ad_sets: all('adsets'),
    ads: all('ads'),
    ad_creatives: all('adcreatives'),
    images: all('adimages'),
    videos: all('advideos'),
    custom_audiences: all('customaudiences'),
    custom_conversions: all('customconversions'),
    activities: all('activities'),
    account_insights: report('account'),
    campaign_insights: report('campaign'),
    ad_set_insights: report('adset'),
    ad_insights: report('ad'),
    ad_insights_age_gender: report('ad', ['age', 'gender']),
    ad_insights_country: report('ad', ['country']),
    ad_insights_placement: report('ad', ['publisher_platform', 'platform_position']),
  }
}

export const accountOf = (id: string) => accounts.find((account) => account.id === id)
