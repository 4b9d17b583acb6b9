/** The five destinations: how each is named in the project file, whom its vendor refuses, and what the vendor itself holds. */
import { createHash } from 'node:crypto'
import { googleAdsOAuth, type Sandbox } from '../../sandbox/serve.js'
import type { Person } from './people.js'

type Counts = ReadonlyMap<string, { added: number; removed: number }>

export interface Vendor {
  /** Of its destination, and of its connection. */
  name: string
  connection: (url: string, sandbox: Sandbox) => string
  destination: (sandbox: Sandbox) => string
  /** From now on these are refused. */
  refuse: (sandbox: Sandbox, people: readonly Person[]) => void
  /** What a person is called at the vendor. */
  nameOf: (person: Person) => string
  /** Who is there now, by these names. */
  held: (sandbox: Sandbox) => string[]
  /** How often each was effectively put there and taken away, by names of the vendor's own. */
  counts: (sandbox: Sandbox) => Counts
  /** Does it say of each member what became of it? Where it does not, refused ones are known by their number. */
  names: 'each' | 'refused' | 'nobody'
  /** Nobody is taken out of it. */
  isUpsert?: true
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const nothing: Counts = new Map()
const listName = 'Chaos'
const shop = '1111111111'

const klaviyoList = ({ klaviyo }: Sandbox) => [...klaviyo.store.lists.values()].find(({ name }) => name === listName)!.id
const klaviyo: Vendor = {
  name: 'klaviyo',
  connection: (url, sandbox) => `{ type: klaviyo, base_url: "${url}", api_key: "${sandbox.klaviyo.apiKey}", budget: "off" }`,
  destination: () => `{ connection: klaviyo, list: ${listName}, create: true }`,
  refuse: ({ klaviyo: { switches } }, people) => {
    switches.lateRefusals = new Set(people.map(({ email }) => email))
  },
  nameOf: ({ email }) => email,
  held: (sandbox) => {
    const { members, profiles } = sandbox.klaviyo.store
    return [...members.get(klaviyoList(sandbox))!.values()].map(({ id }) => profiles.get(id)!.email!)
  },
  counts: (sandbox) => sandbox.klaviyo.pushed.get(klaviyoList(sandbox)) ?? nothing,
  names: 'each',
}

const hubspotList = ({ hubspot }: Sandbox) => [...hubspot.store.lists.values()].find(({ name }) => name === listName)!.id
const hubspot: Vendor = {
  name: 'hubspot',
  connection: (url, sandbox) => `{ type: hubspot, base_url: "${url}", access_token: "${sandbox.hubspot.token}", budget: "off" }`,
  destination: () => `{ connection: hubspot, list: ${listName}, create: true, map: { seats: seats } }`,
  // It refuses a number that is none: the model has it.
  refuse: () => undefined,
  nameOf: ({ email }) => email,
  held: (sandbox) => {
    const { memberships, objects } = sandbox.hubspot.store
    return [...memberships.get(hubspotList(sandbox))!.values()].map(({ id }) => objects.contacts.get(id)!.properties.email!)
  },
  counts: (sandbox) => sandbox.hubspot.writing.pushed.lists.get(hubspotList(sandbox)) ?? nothing,
  names: 'each',
}

const membership = (sandbox: Sandbox) => {
  const made = sandbox.truth.meta.custom_audiences!().find(({ name }) => name === listName)!
  return sandbox.meta.writing.membership(String(made.id))
}
const meta: Vendor = {
  name: 'meta',
  connection: (url, { meta: { token, adAccounts } }) =>
    `{ type: meta, base_url: "${url}", access_token: "${token}", ad_accounts: [${adAccounts.join(', ')}], budget: "off" }`,
  destination: ({ meta: { adAccounts } }) =>
    `{ connection: meta, custom_audience: ${listName}, create: true, ad_account: ${adAccounts[1]} }`,
  refuse: ({ meta: { switches } }, people) => {
    switches.invalidValues = new Map(people.map(({ email }) => [sha256(email), 'Invalid value']))
  },
  nameOf: ({ email }) => sha256(email),
  held: (sandbox) =>
    membership(sandbox)
      .members()
      .map(({ EMAIL }) => EMAIL!),
  counts: (sandbox) => membership(sandbox).pushed,
  names: 'refused',
}

const userList = ({ google_ads: { dataManager } }: Sandbox) => dataManager.lists.of(shop).find(({ name }) => name === listName)!
const google: Vendor = {
  name: 'google',
  connection: (url) =>
    `{ type: google_ads, base_url: "${url}", oauth_base_url: "${url}", client_id: "${googleAdsOAuth.clientId}", client_secret: "${googleAdsOAuth.clientSecret}", refresh_token: "${googleAdsOAuth.refreshToken}", login_customer_id: "5555555555", budget: "off" }`,
  destination: () =>
    `{ connection: google, list: ${listName}, create: true, customer_id: "${shop}", membership_days: 60, status_after_seconds: 1 }`,
  refuse: ({ google_ads: { switches } }, people) => {
    switches.lateRefusals = new Map(people.map(({ email }) => [sha256(email), 'INVALID_ARGUMENT']))
  },
  nameOf: ({ email }) => `email:${sha256(email)}`,
  held: (sandbox) => sandbox.google_ads.dataManager.held(userList(sandbox)),
  counts: (sandbox) => sandbox.google_ads.dataManager.pushed.get(userList(sandbox).id) ?? nothing,
  names: 'nobody',
}

const salesforce: Vendor = {
  name: 'salesforce',
  connection: (url, sandbox) => `{ type: salesforce, base_url: "${url}", access_token: "${sandbox.salesforce.token}", budget: "off" }`,
  destination: () => '{ connection: salesforce, object: Contact, match: Audience_Key__c, map: { LastName: last_name } }',
  // It wants a last name: the model has none.
  refuse: () => undefined,
  nameOf: ({ n }) => `ref-${n}`,
  held: ({ salesforce: { store } }) =>
    [...store.table('Contact').values()].flatMap(({ cells, deletedMs }) =>
      deletedMs === null && cells.Audience_Key__c != null ? [String(cells.Audience_Key__c)] : [],
    ),
  counts: (sandbox) => sandbox.salesforce.pushed.get('Contact') ?? nothing,
  names: 'each',
  isUpsert: true,
}

export const vendors: readonly Vendor[] = [klaviyo, hubspot, meta, google, salesforce]
