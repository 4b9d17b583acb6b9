import { expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { whereToConsent } from '../../src/engine/connect.js'
import { fakeAudience, fakeDestinationDefinition } from '../support/audience.js'

/** What a person is asked for where audiences go out by a connection that reads nothing. */
async function asked(type: string, kind: string, target: string) {
  const { api, consent } = await registry[type]!()
  const connection = { name: type, type, settings: { client_id: 'app', client_secret: 'secret' } }
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
  ['hubspot', 'object', 'line_items', ['e-commerce']],
  ['hubspot', 'object', 'p999_machines', custom],
  ['klaviyo', 'list', 'VIP', ['lists:read', 'lists:write', 'profiles:read', 'profiles:write']],
  ['meta', 'custom_audience', 'VIP', ['ads_management']],
  // `api` is to read and to write.
  ['salesforce', 'campaign', 'VIP', []],
  ['salesforce', 'object', 'Contact', []],
])('%s is asked for what its %s %s needs, and for no more', async (type, kind, target, scopes) => {
  expect((await asked(type, kind, target)).sort()).toEqual([...scopes].sort())
})

it('Salesforce is asked for the API and to stay, whatever goes out', async () => {
  const { consent } = await registry.salesforce!()
  expect(consent!.always).toEqual([
    ['api', 'full'],
    ['refresh_token', 'offline_access'],
  ])
})
