import type { Finding, Http, HttpRequest } from '../../src/core/types.js'
import type { Connector } from '../../src/extract/connector.js'
import { versionFinding } from '../../src/extract/connector.js'
import { defineStreams } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { klaviyo, settings } from './api.js'
import { destinations } from './audience.js'
import { consent } from './consent.js'
import { content } from './content.js'
import { people } from './people.js'
import { custom, customStream, reports } from './reports.js'

const streams = defineStreams({ ...people, ...content, ...reports })

const one = { 'page[size]': 1 }
/** A small page of a kind shows whether its scope is there. Each by the budget of its endpoint. */
const probes: Readonly<Record<string, HttpRequest>> = {
  profiles: { path: '/api/profiles', query: one, budget: 'L' },
  events: { path: '/api/events', query: one, budget: 'XL' },
  lists: { path: '/api/lists', budget: 'L' },
  flows: { path: '/api/flows', budget: 'S' },
  templates: { path: '/api/templates', budget: 'L' },
  campaigns: { path: '/api/campaigns', query: { filter: "equals(messages.channel,'email')" }, budget: 'M' },
  forms: { path: '/api/forms', query: one, budget: 'S' },
  tags: { path: '/api/tags', budget: 'S' },
  images: { path: '/api/images', query: one, budget: 'M' },
  coupons: { path: '/api/coupons', query: one, budget: 'L' },
  catalog_items: { path: '/api/catalog-items', query: one, budget: 'XL' },
}

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: '/api/accounts', budget: 'accounts' })
  yield {
    name: 'access',
    ok: true,
    message: `account ${String(at(body, 'data.0.id') ?? 'unknown')}, time zone ${String(at(body, 'data.0.attributes.timezone') ?? 'unknown')}`,
  }
  yield versionFinding(klaviyo, http, new Date())
  for (const [name, request] of Object.entries(probes)) {
    try {
      await http.request(request)
      yield { name: `scope of ${name}`, ok: true, message: 'readable' }
    } catch (error) {
      yield { name: `scope of ${name}`, ok: false, message: error instanceof Error ? error.message : String(error) }
    }
  }
}

export const connector: Connector = {
  type: 'klaviyo',
  title: 'Klaviyo',
  settings,
  basics: ['api_key'],
  custom,
  apiVersions: ['2026-07-15'],
  api: klaviyo,
  consent,
  source: { type: 'klaviyo', streams, custom: customStream, check },
  destinations,
}
