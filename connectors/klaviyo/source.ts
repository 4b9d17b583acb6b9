import type { Finding, Http } from '../../src/core/types.js'
import type { Connector } from '../../src/extract/connector.js'
import { versionFinding } from '../../src/extract/connector.js'
import { defineStreams } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { klaviyo, settings } from './api.js'
import { content } from './content.js'
import { people } from './people.js'
import { custom, customStream, reports } from './reports.js'

const streams = defineStreams({ ...people, ...content, ...reports })

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: '/api/accounts', budget: 'accounts' })
  yield {
    name: 'access',
    ok: true,
    message: `account ${String(at(body, 'data.0.id') ?? 'unknown')}, time zone ${String(at(body, 'data.0.attributes.timezone') ?? 'unknown')}`,
  }
  yield versionFinding(klaviyo, http, new Date())
  for (const [name, path] of Object.entries({
    profiles: '/api/profiles',
    events: '/api/events',
    lists: '/api/lists',
    flows: '/api/flows',
    templates: '/api/templates',
    campaigns: '/api/campaigns',
    forms: '/api/forms',
    tags: '/api/tags',
    images: '/api/images',
    coupons: '/api/coupons',
    catalog_items: '/api/catalog-items',
  })) {
    try {
      await http.request({
        path,
        ...(name === 'profiles' || name === 'events' ? { query: { 'page[size]': 1 } } : {}),
        budget: name === 'flows' ? 'S' : 'L',
      })
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
  custom,
  apiVersions: ['2026-07-15'],
  api: klaviyo,
  source: { type: 'klaviyo', streams, custom: customStream, check },
}
