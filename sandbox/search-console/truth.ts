/** What each stream of a reader should hold: the final figures of every property that is open. */
import { day } from '../company/catalogue.js'
import type { Asked, Row } from './query.js'

const reports = {
  site_daily: ['date', 'country', 'device'],
  page_daily: ['date', 'page', 'country', 'device'],
  query_daily: ['date', 'query', 'country', 'device'],
  page_query_daily: ['date', 'page', 'query', 'country', 'device'],
} as const

interface World {
  sites: () => Record<string, unknown>[]
  sitemaps: (site: number) => Record<string, unknown>[]
  rows: (site: number, asked: Asked) => Row[]
  nowMs: () => number
}

export type SearchConsoleTruth = Record<keyof typeof reports | 'sites' | 'sitemaps', () => Record<string, unknown>[]>

export function truthOf({ sites, sitemaps, rows, nowMs }: World): SearchConsoleTruth {
  const ofOpen = (of: (site: number) => object[]) =>
    sites().flatMap(({ siteUrl, permissionLevel }, n) =>
      permissionLevel === 'siteUnverifiedUser' ? [] : of(n).map((one) => ({ ...one, site_url: siteUrl })),
    )
  const report = (dimensions: Asked['dimensions']) => () =>
    ofOpen((site) =>
      rows(site, {
        fromMs: 0,
        toMs: nowMs() + day,
        dimensions,
        type: 'web',
        withFresh: false,
        rowLimit: Number.POSITIVE_INFINITY,
        startRow: 0,
      }),
    )
  return {
    sites,
    sitemaps: () => ofOpen(sitemaps),
    site_daily: report(reports.site_daily),
    page_daily: report(reports.page_daily),
    query_daily: report(reports.query_daily),
    page_query_daily: report(reports.page_query_daily),
  }
}
