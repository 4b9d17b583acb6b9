import type { Finding, Http } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { defineStreams } from '../../src/extract/define.js'
import { onePage } from '../../src/extract/paginate.js'
import { listed, listSitemaps, listSites, searchConsole, settings } from './api.js'
import { consent } from './consent.js'
import * as fields from './fields.js'
import { custom, customReport, report } from './reports.js'
import { isOpen, sitesOf, siteUrls } from './sites.js'

const streams = defineStreams({
  sites: {
    description: 'Properties, and what the user may see of them.',
    key: ['siteUrl'],
    fields: fields.site,
    mode: 'replace',
    modes: ['replace', 'merge', 'history'],
    record: (raw) => raw,
    passes: [{ slicing: { by: 'all' }, ask: (_, { http }) => listSites(http), pages: onePage(listed('siteEntry')) }],
  },
  sitemaps: {
    description: 'Sitemaps that were submitted, and what Google made of them.',
    key: ['site_url', 'path'],
    fields: fields.sitemap,
    mode: 'replace_slice',
    modes: ['replace_slice', 'merge', 'replace', 'history'],
    bounds: { parent: 'site_url' },
    record: (raw) => raw,
    passes: [
      {
        slicing: { by: 'parent', parents: siteUrls },
        parentField: 'site_url',
        ask: ({ parent }, { http }) => listSitemaps(http, parent!),
        pages: onePage(listed('sitemap')),
      },
    ],
  },
  site_daily: report({
    description: 'Clicks and impressions of each site, by day, country and device: all of them.',
    by: ['country', 'device'],
    days: 30,
  }),
  page_daily: report({
    description: 'Clicks and impressions of each page, by day, country and device.',
    by: ['page', 'country', 'device'],
    days: 1,
  }),
  query_daily: report({
    description: 'What people searched for, by day, country and device. Searches of few people are not in it.',
    by: ['query', 'country', 'device'],
    days: 1,
  }),
  page_query_daily: report({
    description: 'Which page was found by which search, by day, country and device: what costs most of Google’s load.',
    by: ['page', 'query', 'country', 'device'],
    days: 1,
    isDefault: false,
  }),
})

async function* check(http: Http): AsyncIterable<Finding> {
  const sites = await sitesOf(http)
  const named = http.settings.sites as readonly string[] | undefined
  for (const site of sites.filter(({ siteUrl }) => named?.includes(siteUrl) ?? true))
    yield isOpen(site)
      ? { name: `site ${site.siteUrl}`, ok: true, message: site.permissionLevel }
      : { name: `site ${site.siteUrl}`, ok: named === undefined, message: 'left out: this user’s access was never verified' }
  for (const gone of named?.filter((one) => !sites.some(({ siteUrl }) => siteUrl === one)) ?? [])
    yield {
      name: `site ${gone}`,
      ok: false,
      message: 'not among the user’s properties',
      hint: 'Have the user added to it, or take it out of sites.',
    }
  if (sites.length === 0)
    yield { name: 'sites', ok: false, message: 'the user has no property', hint: 'Add the user to one in Search Console.' }
  yield versionFinding(searchConsole, http, new Date())
}

export const connector: Connector = {
  type: 'search_console',
  title: 'Google Search Console',
  settings,
  basics: ['service_account'],
  custom,
  apiVersions: ['v3'],
  api: searchConsole,
  consent,
  source: { type: 'search_console', streams, custom: customReport, check },
}
