import type { Finding, Http, HttpRequest } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { defineStreams } from '../../src/extract/define.js'
import { account, everyList } from './account.js'
import { hubspot, path, settings } from './api.js'
import { associations } from './associations.js'
import { destinations } from './audience.js'
import { histories } from './history.js'
import { marketing } from './marketing.js'
import { custom, customStream, objects } from './objects.js'

const streams = defineStreams({ ...objects, ...account, ...associations, ...marketing, ...histories })

/** Scopes of the objects that are not called after them. */
const scopes: Readonly<Record<string, string>> = {
  tickets: 'tickets',
  ...Object.fromEntries(['calls', 'meetings', 'notes', 'tasks'].map((name) => [name, 'crm.objects.contacts.read'])),
  emails: 'crm.objects.contacts.read and sales-email-read',
  ...Object.fromEntries(['products', 'line_items', 'quotes'].map((name) => [name, 'e-commerce or crm.objects.line_items.read'])),
}

/** One record of a kind shows whether its scope is there. */
function* probes(http: Http): Iterable<[name: string, scope: string, request: HttpRequest]> {
  const query = { limit: 1 }
  for (const name of Object.keys(objects))
    yield [name, scopes[name] ?? `crm.objects.${name}.read`, { path: path(http, 'objects', `/${name}`), query }]
  yield ['owners', 'crm.objects.owners.read', { path: path(http, 'owners'), query }]
  yield ['pipelines', 'the scopes of deals and tickets', { path: path(http, 'pipelines', '/deals') }]
  yield ['lists', 'crm.lists.read', everyList(http)]
  yield ['marketing_emails', 'content', { path: path(http, 'emails'), query }]
  yield ['campaigns', 'marketing.campaigns.read', { path: path(http, 'campaigns'), query }]
  yield ['forms', 'forms', { path: path(http, 'forms'), query }]
  yield ['email_events', 'content', { path: path(http, 'emailEvents'), query }]
}

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: path(http, 'account', '/details') })
  yield {
    name: 'access',
    ok: true,
    message: `account ${String(body.portalId ?? 'unknown')}, time zone ${String(body.timeZone ?? 'unknown')}`,
  }
  yield versionFinding(hubspot, http, new Date())
  for (const [name, scope, request] of probes(http)) {
    try {
      await http.request(request)
      yield { name: `scope of ${name}`, ok: true, message: 'readable' }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      yield { name: `scope of ${name}`, ok: false, message, hint: `Grant ${scope}, or leave ${name} out.` }
    }
  }
}

export const connector: Connector = {
  type: 'hubspot',
  title: 'HubSpot',
  settings,
  basics: ['access_token'],
  custom,
  apiVersions: ['2026-09', 'v3'],
  api: hubspot,
  source: { type: 'hubspot', streams, custom: customStream, check },
  destinations,
}
