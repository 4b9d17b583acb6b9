import type { Connector } from '../src/extract/connector.js'

/** The only list of connectors: type → its module, loaded when it is used. */
export const registry: Readonly<Record<string, () => Promise<Connector>>> = {
  google_ads: () => import('./google-ads/source.js').then(({ connector }) => connector),
  hubspot: () => import('./hubspot/source.js').then(({ connector }) => connector),
  klaviyo: () => import('./klaviyo/source.js').then(({ connector }) => connector),
  meta: () => import('./meta/source.js').then(({ connector }) => connector),
  salesforce: () => import('./salesforce/source.js').then(({ connector }) => connector),
  search_console: () => import('./search-console/source.js').then(({ connector }) => connector),
}
