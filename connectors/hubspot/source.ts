import type { Finding, Http, HttpRequest } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { defineStreams } from '../../src/extract/define.js'
import { nameOf } from '../../src/http/scopes.js'
import { account, everyList } from './account.js'
import { hubspot, path, settings } from './api.js'
import { associations } from './associations.js'
import { destinations } from './audience.js'
import { consent, ofStream } from './consent.js'
import { histories } from './history.js'
import { marketing } from './marketing.js'
import { custom, customStream, objects } from './objects.js'

const streams = defineStreams({ ...objects, ...account, ...associations, ...marketing, ...histories })

/** One record of a kind shows whether its scope is there. */
function* probes(http: Http): Iterable<[stream: string, request: HttpRequest]> {
  const query = { limit: 1 }
  for (const name of Object.keys(objects)) yield [name, { path: path(http, 'objects', `/${name}`), query }]
  yield ['owners', { path: path(http, 'owners'), query }]
  yield ['pipelines', { path: path(http, 'pipelines', '/deals') }]
  yield ['lists', everyList(http)]
  yield ['marketing_emails', { path: path(http, 'emails'), query }]
  yield ['campaigns', { path: path(http, 'campaigns'), query }]
  yield ['forms', { path: path(http, 'forms'), query }]
  yield ['email_events', { path: path(http, 'emailEvents'), query }]
}

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: path(http, 'account', '/details') })
  yield {
    name: 'access',
    ok: true,
    message: `account ${String(body.portalId ?? 'unknown')}, time zone ${String(body.timeZone ?? 'unknown')}`,
  }
  yield versionFinding(hubspot, http, new Date())
  for (const [name, request] of probes(http)) {
    try {
      await http.request(request)
      yield { name: `scope of ${name}`, ok: true, message: 'readable' }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      yield {
        name: `scope of ${name}`,
        ok: false,
        message,
        hint: `Grant ${ofStream(name).map(nameOf).join(' and ')}, or leave ${name} out.`,
      }
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
  consent,
  source: { type: 'hubspot', streams, custom: customStream, check },
  destinations,
}
