import { expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { whereToConsent } from '../../src/engine/connect.js'
import { fakeAudience, fakeDestinationDefinition } from '../support/audience.js'

/** What a person is asked for where audiences go out by a connection that reads nothing. */
async function asked(type: string, kind: string, target: string) {
  const { api, consent } = await registry[type]!()
  const connection = { name: type, type, settings: { client_id: 'app', client_secret: 'secret', app_id: 'app', app_secret: 'secret' } }
  const audience = fakeAudience({ destinations: { one: fakeDestinationDefinition({ connection, kind, target }) } })
  const ask = (audiences: ReturnType<typeof fakeAudience>[]) =>
    whereToConsent({ api, consent: consent!, connection, definitions: [], audiences }).scopes
  const [without, whole] = [ask([]), ask([audience])]
  expect(whole).toEqual(expect.arrayContaining(without))
  return whole.filter((scope) => !without.includes(scope))
}

const contacts = ['crm.objects.contacts.read', 'crm.objects.contacts.write']
const custom = ['crm.objects.custom.read', 'crm.objects.custom.write', 'crm.schemas.custom.read']

it.each([
  ['hubspot', 'list', 'VIP', [...contacts, 'crm.lists.read', 'crm.lists.write']],
  ['hubspot', 'object', 'contacts', contacts],
  ['hubspot', 'object', 'companies', ['crm.objects.companies.read', 'crm.objects.companies.write']],
  ['hubspot', 'object', 'tickets', ['tickets']],
  ['hubspot', 'object', 'line_items', ['e-commerce or crm.objects.line_items.read', 'e-commerce or crm.objects.line_items.write']],
  ['hubspot', 'object', 'p999_machines', custom],
  ['klaviyo', 'list', 'VIP', ['lists:read', 'lists:write', 'profiles:read', 'profiles:write']],
  ['meta', 'custom_audience', 'VIP', ['ads_management']],
  // `api` is to read and to write.
  ['salesforce', 'campaign', 'VIP', []],
  ['salesforce', 'object', 'Contact', []],
])('%s is asked for what its %s %s needs, and for no more', async (type, kind, target, scopes) => {
  expect((await asked(type, kind, target)).sort()).toEqual([...scopes].sort())
})

it('asks for a scope once, whatever else would do beside it', async () => {
  const { api, consent } = await registry.hubspot!()
  const connection = { name: 'hubspot', type: 'hubspot', settings: { client_id: 'app', client_secret: 'secret' } }
  const destination = fakeDestinationDefinition({ connection, kind: 'object', target: 'line_items' })
  const audiences = [fakeAudience({ destinations: { one: destination } })]
  const { address } = whereToConsent({ api, consent: consent!, connection, definitions: [], audiences })
  expect(new URL(address).searchParams.get('scope')).toBe('oauth e-commerce')
})

it.each([
  ['campaign_values', undefined, ['campaigns:read', 'metrics:read']],
  ['flow_series', undefined, ['flows:read', 'metrics:read']],
  ['form_values', undefined, ['forms:read']],
  ['mine', { report: 'flow_values' }, ['flows:read', 'metrics:read']],
  ['mine', { report: 'flow_values', conversion_metric_id: 'X1' }, ['flows:read']],
  ['mine', { report: 'segment_series' }, ['segments:read']],
])('Klaviyo is asked for the metrics where %s %j looks one up', async (stream, custom, scopes) => {
  const { consent } = await registry.klaviyo!()
  expect(consent!.ofStream!(stream, custom)).toEqual(scopes)
})

it('Salesforce is asked for the API and to stay, whatever goes out', async () => {
  const { consent } = await registry.salesforce!()
  expect(consent!.always).toEqual([
    ['api', 'full'],
    ['refresh_token', 'offline_access'],
  ])
})
