import type { Finding, Http, Page, ReadContext } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { defineStreams } from '../../src/extract/define.js'
import { adAccounts, meta, path, settings } from './api.js'
import { destinations } from './audience.js'
import { consent } from './consent.js'
import { mending } from './creatives.js'
import { custom, customReport } from './custom.js'
import * as fields from './fields.js'
import { type Level, report } from './insights.js'
import { listed } from './pages.js'
import { activities, edited, figures, whole, withInstants } from './streams.js'

const creatives = listed({ name: 'adcreatives', limit: 50 })

/** The account itself, one record a slice. */
async function* account({ http, slice, fields: asked }: ReadContext): AsyncIterable<Page> {
  const query = { fields: fields.namesOf(asked).join(',') }
  const { body } = await http.request({ path: path(http, `act_${slice.parent}`), query, payer: slice.parent! })
  yield { records: [body] }
}

const daily = (level: Level, description: string) => report({ description, level, fields: figures(level, false) })
/** Ads broken down: each is a report of its own to make, so they are read only where they are named. */
const split = (description: string, ...breakdowns: string[]) =>
  report({ description, level: 'ad', breakdowns, fields: figures('ad', true), isDefault: false })

const streams = defineStreams({
  ad_accounts: {
    description: 'Ad accounts, with currency, time zone and status.',
    key: ['id'],
    fields: fields.adAccount,
    mode: 'replace',
    modes: ['replace', 'merge', 'history'],
    record: (raw) => raw,
    passes: [{ slicing: { by: 'parent', parents: adAccounts }, read: account }],
  },
  campaigns: edited('campaigns', 'campaign', 'Campaigns, archived and deleted ones included.', fields.campaign, 100),
  ad_sets: edited('adsets', 'adset', 'Ad sets, archived and deleted ones included.', fields.adSet, 100),
  ads: edited('ads', 'ad', 'Ads, archived and deleted ones included.', fields.ad, 100),
  ad_creatives: {
    ...whole({ name: 'adcreatives', limit: 50 }, 'What ads show: texts, pictures, links and their URL tags.', fields.creative),
    passes: [{ slicing: { by: 'parent', parents: adAccounts }, read: (context) => creatives({ ...context, http: mending(context.http) }) }],
  },
  images: whole({ name: 'adimages', limit: 100 }, 'Pictures of the account’s library.', fields.image),
  videos: whole({ name: 'advideos', limit: 100 }, 'Videos of the account’s library.', fields.video),
  // The vendor recommends twenty a page: counts are computed for each.
  custom_audiences: whole({ name: 'customaudiences', limit: 20 }, 'Custom audiences and their sizes.', fields.customAudience, withInstants),
  custom_conversions: whole({ name: 'customconversions', limit: 100 }, 'Custom conversions and their rules.', fields.customConversion),
  activities,
  account_insights: daily('account', 'Figures of each day by ad account.'),
  campaign_insights: daily('campaign', 'Figures of each day by campaign.'),
  ad_set_insights: daily('adset', 'Figures of each day by ad set.'),
  ad_insights: daily('ad', 'Figures of each day by ad.'),
  ad_insights_age_gender: split('Figures of each day by ad, age and gender.', 'age', 'gender'),
  ad_insights_country: split('Figures of each day by ad and country.', 'country'),
  ad_insights_placement: split('Figures of each day by ad, platform and position.', 'publisher_platform', 'platform_position'),
})

/** Meta's account_status; the numbers are from others' connectors. All but closed to the token can still be read. */
const statuses: Record<number, string> = { 2: 'disabled', 3: 'unsettled', 7: 'pending review', 100: 'pending closure', 101: 'closed' }

async function* check(http: Http): AsyncIterable<Finding> {
  const query = { fields: 'name,currency,timezone_name,account_status' }
  for await (const id of adAccounts(http)) {
    const name = `ad account act_${id}`
    let body: Awaited<ReturnType<Http['request']>>['body']
    try {
      ;({ body } = await http.request({ path: path(http, `act_${id}`), query, payer: id }))
    } catch (error) {
      const { reason } = error as { reason?: string }
      if (reason !== 'permission') throw error
      yield { name, ok: false, message: error instanceof Error ? error.message : String(error) }
      continue
    }
    const told = `${String(body.name)}, ${String(body.currency)}, ${String(body.timezone_name)}`
    const status = statuses[Number(body.account_status)]
    yield status === undefined
      ? { name, ok: true, message: told }
      : {
          name,
          ok: false,
          message: `${told}: ${status}`,
          hint: 'What it has can be read; nothing new comes. Look at it in Business Settings.',
        }
  }
  yield versionFinding(meta, http, new Date())
}

export const connector: Connector = {
  type: 'meta',
  title: 'Meta',
  settings,
  basics: ['access_token', 'app_secret', 'ad_accounts'],
  custom,
  apiVersions: ['v26.0', 'v25.0'],
  api: meta,
  consent,
  source: { type: 'meta', streams, custom: customReport, check },
  destinations,
}
