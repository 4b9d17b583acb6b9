import type { Finding, Http } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { type Account, reachOf } from './accounts.js'
import { googleAds, rowsOf, settings } from './api.js'
import { destinations } from './audience.js'
import { consent } from './consent.js'
import { custom, customStream } from './custom.js'
import * as fields from './fields.js'
import { fieldsOf, flatten } from './gaql.js'
import { rowReader } from './read.js'
import { changes, clicks, entity, report } from './streams.js'

const date = 'segments.date'
const placed = ['segments.ad_network_type', 'segments.device']

/** Places are the same for every account; the query needs one all the same. */
const geoTargets: DeclaredStream = {
  description: 'Countries, regions and cities, to which geographic reports and criteria point.',
  key: ['id'],
  fields: fieldsOf(fields.geoTarget, 'geo_target_constant'),
  record: flatten(Object.keys(fields.geoTarget), 'geo_target_constant'),
  mode: 'replace',
  modes: ['replace', 'merge', 'history'],
  // Some hundred thousand of them, which hardly ever change.
  isDefault: false,
  passes: [
    {
      slicing: { by: 'all' },
      read: rowReader(() => [{ select: Object.keys(fields.geoTarget), from: 'geo_target_constant', orderBy: ['geo_target_constant.id'] }]),
    },
  ],
}

const streams = defineStreams({
  customers: entity({ description: 'Accounts, managers included.', from: 'customer', columns: fields.customer, key: [], of: 'all' }),
  campaigns: entity({ description: 'Campaigns, removed ones included.', from: 'campaign', columns: fields.campaign, key: ['campaign.id'] }),
  campaign_budgets: entity({
    description: 'Budgets; a shared one serves several campaigns.',
    from: 'campaign_budget',
    columns: fields.campaignBudget,
    key: ['campaign_budget.id'],
  }),
  bidding_strategies: entity({
    description: 'Portfolio bidding strategies.',
    from: 'bidding_strategy',
    columns: fields.biddingStrategy,
    key: ['bidding_strategy.id'],
    of: 'all',
  }),
  campaign_criteria: entity({
    description: 'What a campaign targets or excludes: places, negative keywords, lists.',
    from: 'campaign_criterion',
    columns: fields.campaignCriterion,
    key: ['campaign.id', 'campaign_criterion.criterion_id'],
  }),
  ad_groups: entity({ description: 'Ad groups.', from: 'ad_group', columns: fields.adGroup, key: ['ad_group.id'] }),
  ads: entity({ description: 'Ads.', from: 'ad_group_ad', columns: fields.ad, key: ['ad_group.id', 'ad_group_ad.ad.id'] }),
  keywords: entity({
    description: 'Keywords of ad groups, negative ones included. An id is unique within its ad group only.',
    from: 'ad_group_criterion',
    columns: fields.keyword,
    where: ["ad_group_criterion.type = 'KEYWORD'"],
    key: ['ad_group.id', 'ad_group_criterion.criterion_id'],
  }),
  assets: entity({
    description: 'Images, videos, texts and links that ads are made of.',
    from: 'asset',
    columns: fields.asset,
    key: ['asset.id'],
  }),
  asset_groups: entity({
    description: 'Asset groups of Performance Max campaigns.',
    from: 'asset_group',
    columns: fields.assetGroup,
    key: ['asset_group.id'],
  }),
  labels: entity({ description: 'Labels.', from: 'label', columns: fields.label, key: ['label.id'], of: 'all' }),
  campaign_labels: entity({
    description: 'Which campaign carries which label.',
    from: 'campaign_label',
    columns: fields.campaignLabel,
    key: ['campaign.id', 'label.id'],
  }),
  ad_group_labels: entity({
    description: 'Which ad group carries which label.',
    from: 'ad_group_label',
    columns: fields.adGroupLabel,
    key: ['ad_group.id', 'label.id'],
  }),
  ad_labels: entity({
    description: 'Which ad carries which label.',
    from: 'ad_group_ad_label',
    columns: fields.adLabel,
    key: ['ad_group.id', 'ad_group_ad.ad.id', 'label.id'],
  }),
  audiences: entity({ description: 'Saved audiences.', from: 'audience', columns: fields.audience, key: ['audience.id'] }),
  user_lists: entity({
    description: 'Remarketing and customer lists.',
    from: 'user_list',
    columns: fields.userList,
    key: ['user_list.id'],
    of: 'all',
  }),
  conversion_actions: entity({
    description: 'What counts as a conversion.',
    from: 'conversion_action',
    columns: fields.conversionAction,
    key: ['conversion_action.id'],
    of: 'all',
  }),
  geo_targets: geoTargets,
  change_status: changes({
    description: 'Which things changed last and when, for 90 days.',
    from: 'change_status',
    columns: fields.changeStatus,
    key: ['change_status.resource_name'],
    at: 'change_status.last_change_date_time',
    keptDays: 90,
    isDefault: false,
  }),
  change_events: changes({
    description: 'Who changed what, old and new, for 30 days.',
    from: 'change_event',
    columns: fields.changeEvent,
    key: ['change_event.resource_name'],
    at: 'change_event.change_date_time',
    keptDays: 30,
    isDefault: false,
  }),
  click_view: clicks({
    description: 'Single clicks with their gclid, for 90 days: one request an account and day.',
    from: 'click_view',
    columns: fields.click,
    key: [date, 'click_view.gclid', 'segments.ad_network_type'],
    isDefault: false,
  }),
  account_daily: report({
    description: 'What each account gave, by day, network and device.',
    from: 'customer',
    columns: fields.ofAccount,
    metrics: fields.metrics,
    key: [date, ...placed],
  }),
  campaign_daily: report({
    description: 'What each campaign gave, by day, network and device.',
    from: 'campaign',
    columns: fields.ofCampaign,
    metrics: fields.campaignMetrics,
    key: [date, 'campaign.id', ...placed],
  }),
  ad_group_daily: report({
    description: 'What each ad group gave, by day, network and device.',
    from: 'ad_group',
    columns: fields.ofAdGroup,
    metrics: fields.metrics,
    key: [date, 'ad_group.id', ...placed],
  }),
  ad_daily: report({
    description: 'What each ad gave, by day, network and device.',
    from: 'ad_group_ad',
    columns: fields.ofAd,
    metrics: fields.metrics,
    key: [date, 'ad_group.id', 'ad_group_ad.ad.id', ...placed],
  }),
  keyword_daily: report({
    description: 'What each keyword gave, by day.',
    from: 'keyword_view',
    columns: fields.ofKeyword,
    metrics: fields.metrics,
    key: [date, 'ad_group.id', 'ad_group_criterion.criterion_id'],
  }),
  search_term_daily: report({
    description: 'What people searched for, by day. Terms of Performance Max campaigns are not in it.',
    from: 'search_term_view',
    columns: fields.ofSearchTerm,
    metrics: fields.metrics,
    key: [date, 'ad_group.id', 'search_term_view.search_term', 'search_term_view.status'],
    isDefault: false,
  }),
  geographic_daily: report({
    description: 'Where people were or what place they cared for, by day and country.',
    from: 'geographic_view',
    columns: fields.ofPlace,
    metrics: fields.metrics,
    key: [date, 'campaign.id', 'geographic_view.country_criterion_id', 'geographic_view.location_type'],
    isDefault: false,
  }),
  landing_page_daily: report({
    description: 'What each landing page received, by day.',
    from: 'landing_page_view',
    columns: fields.ofLandingPage,
    metrics: fields.metrics,
    isDefault: false,
  }),
  shopping_daily: report({
    description: 'What each product gave, by day.',
    from: 'shopping_performance_view',
    columns: fields.ofProduct,
    metrics: fields.productMetrics,
    isDefault: false,
  }),
  conversion_action_daily: report({
    // Google refuses clicks and cost beside this segment, hence a stream of its own.
    description: 'Conversions of each campaign by what was converted, by day.',
    from: 'campaign',
    columns: fields.ofConversionAction,
    metrics: fields.conversions,
    key: [date, 'campaign.id', 'segments.conversion_action'],
  }),
})

const named = ({ id, name, status }: Account) => `${id}${name === '' ? '' : ` "${name}"`}${status === 'ENABLED' ? '' : ` (${status})`}`

async function* check(http: Http): AsyncIterable<Finding> {
  const { accounts, left, closed } = await reachOf(http)
  const advertisers = accounts.filter(({ isManager }) => !isManager)
  yield {
    name: 'access',
    ok: advertisers.length > 0,
    message: `${advertisers.length} accounts to read, ${accounts.length - advertisers.length} managers, ${left.length} left out`,
    ...(advertisers.length > 0
      ? {}
      : { hint: 'Set login_customer_id to a manager that reaches them, and look at accounts and customer_ids.' }),
  }
  yield versionFinding(googleAds, http, new Date())
  for (const { id, failure } of closed) yield { name: `account ${id}`, ok: false, message: failure.message }
  if (left.length > 0) yield { name: 'left out', ok: true, message: left.slice(0, 20).map(named).join(', ') }
  // One operation each: enough to know whether the account answers.
  for (const account of advertisers.slice(0, 20)) {
    try {
      for await (const _ of rowsOf(http, account.id, account.login, { select: ['customer.id'], from: 'customer' }));
      yield { name: `account ${account.id}`, ok: true, message: `${named(account)} is readable` }
    } catch (error) {
      yield { name: `account ${account.id}`, ok: false, message: error instanceof Error ? error.message : String(error) }
    }
  }
}

export const connector: Connector = {
  type: 'google_ads',
  title: 'Google Ads',
  settings,
  basics: ['client_id', 'client_secret', 'login_customer_id'],
  custom,
  apiVersions: ['v26'],
  api: googleAds,
  consent,
  source: { type: 'google_ads', streams, custom: customStream, check },
  destinations,
}
