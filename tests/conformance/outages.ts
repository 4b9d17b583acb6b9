import type { Row, Table } from '../../sandbox/kit/table.js'
import { metaAdAccounts, type Sandbox } from '../../sandbox/serve.js'
import type { Reason } from '../../src/core/failure.js'
import type { Rec } from '../../src/core/types.js'

/** Something that a person at the vendor does, and what of a connection it may stop. */
export interface Outage {
  what: string
  /** Keys of the connection that are not the usual ones. */
  settings?: Rec
  /** A stream of the user's own beside the vendor's, by its keys. */
  custom?: Readonly<Record<string, Rec>>
  /** After the slices were planned. */
  strike: (sandbox: Sandbox) => void
  /** Which slices fail, as `stream` or `stream/parent`; nothing where it stops none. */
  stops?: RegExp
  reason?: Reason
  /** What the person who must act is told. */
  says?: string
}

const deleteFirst = <R extends Row>(table: Table<R>) => table.delete([...table.values()][0]!.id)

/** By the type of connection; a vendor without an entry here has not been looked at. */
export const outages: Readonly<Record<string, readonly Outage[]>> = {
  google_ads: [
    {
      what: 'a cancelled account',
      settings: { customer_ids: ['1111111111', '3333333333'] },
      strike: () => undefined,
      stops: /\/3333333333$/,
      reason: 'permission',
      says: 'Its owner must reactivate it',
    },
    {
      what: 'a missing scope',
      strike: ({ google_ads }) => google_ads.access.grant(['https://www.googleapis.com/auth/datamanager']),
      stops: /^/,
      reason: 'auth',
      says: 'https://www.googleapis.com/auth/adwords',
    },
    {
      what: 'a field that is gone',
      strike: ({ google_ads }) => google_ads.switches.removedFields.push('keyword_view.resource_name', 'campaign_budget.name'),
      stops: /^campaign_budgets\//,
      reason: 'config',
      says: 'upgrade Weir',
    },
  ],
  meta: [
    {
      what: 'an ad account that was removed',
      strike: ({ meta }) => meta.switches.goneAccounts.push(metaAdAccounts[0]!.slice('act_'.length)),
      stops: new RegExp(`/${metaAdAccounts[0]!.slice('act_'.length)}$`),
      reason: 'permission',
      says: 'It was removed, or is closed to the token.',
    },
    {
      what: 'a missing scope',
      strike: ({ meta }) => meta.access.grant(['business_management']),
      stops: /^/,
      reason: 'permission',
      says: 'ads_read',
    },
  ],
  search_console: [
    {
      what: 'a property that was removed',
      strike: ({ search_console }) => search_console.switches.goneSites.push('https://shop.acme.example/'),
      stops: /\/https:\/\/shop\.acme\.example\/$/,
      reason: 'permission',
      says: 'An owner of the property must add this user to it',
    },
    {
      what: 'a property that nobody has verified',
      settings: { sites: ['sc-domain:acme.example', 'https://old.acme.example/'] },
      strike: () => undefined,
      stops: /\/https:\/\/old\.acme\.example\/$/,
      reason: 'permission',
      says: 'An owner of the property must add this user to it',
    },
    {
      what: 'a missing scope',
      strike: ({ search_console }) => search_console.access.grant(['https://www.googleapis.com/auth/adwords']),
      stops: /^/,
      reason: 'auth',
      says: 'webmasters.readonly',
    },
  ],
  hubspot: [
    { what: 'a list that was deleted', strike: ({ hubspot }) => deleteFirst(hubspot.store.lists) },
    {
      what: 'an object that is not there',
      custom: { gone: { object: 'p999_gone' } },
      strike: () => undefined,
      stops: /^gone$/,
      reason: 'permission',
      says: 'p999_gone',
    },
  ],
  klaviyo: [
    { what: 'a list that was deleted', strike: ({ klaviyo }) => deleteFirst(klaviyo.store.lists) },
    { what: 'a segment that was deleted', strike: ({ klaviyo }) => deleteFirst(klaviyo.store.segments) },
  ],
  salesforce: [
    {
      what: 'an object that is closed to the user',
      strike: ({ salesforce }) => salesforce.access.close(['Opportunity']),
      stops: /^opportunities$/,
      reason: 'permission',
      says: 'Opportunity',
    },
    {
      what: 'an object that is not there',
      custom: { gone: { object: 'Gone__c' } },
      strike: () => undefined,
      stops: /^gone$/,
      reason: 'permission',
      says: 'Gone__c',
    },
    { what: 'fields that are closed to the user', strike: ({ salesforce }) => salesforce.access.close(['Contact.Phone', 'Lead.Email']) },
  ],
}
