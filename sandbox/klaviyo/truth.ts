/** What each stream holds now, as the vendor would show it: the other side of a row-by-row comparison. */
import type { Request } from '../kit/http.js'
import type { Table } from '../kit/table.js'
import type { Resource, View } from './collection.js'
import { type ReportTruth, reportTruth } from './reports.js'
import type { ProfileRow } from './rows.js'
import { type ShelfRow, showShelf } from './shelf.js'
import type { Show } from './show.js'
import type { KlaviyoStore } from './store.js'

export interface KlaviyoTruth extends ReportTruth {
  profiles(): Resource[]
  events(): Resource[]
  metrics(): Resource[]
  lists(): Resource[]
  segments(): Resource[]
  campaigns(): Resource[]
  flows(): Resource[]
  templates(): Resource[]
  campaign_messages(): Resource[]
  forms(): Resource[]
  tags(): Resource[]
  images(): Resource[]
  coupons(): Resource[]
  catalog_items(): Resource[]
  /** What each flow does, with the flow's id beside it; and the messages of each action. */
  flowActions(): Resource[]
  flowMessages(): Resource[]
  /** Members with their profile's attributes and `joined_group_at`. */
  listMembers(listId: string): Resource[]
  segmentMembers(segmentId: string): Resource[]
}

const revision = '2026-07-15'

export function truthOf(store: KlaviyoStore, show: Show, now: () => number): KlaviyoTruth {
  const request: Request = {
    method: 'GET',
    path: '/',
    url: '/',
    query: new URLSearchParams(),
    headers: {},
    origin: 'https://a.klaviyo.com',
    text: '',
    params: {},
    halfPage: false,
  }
  const view: View = { request, revision, additional: new Set(), include: new Set() }
  const things = (type: 'metric' | 'list' | 'segment' | 'flow' | 'template') => () =>
    [...store[`${type}s`].values()].map((row) => show.thing(type, row, view))
  const shelf = (type: string, table: Table<ShelfRow>) => () => [...table.values()].map((row) => showShelf(type, row, view))
  const members = (id: string) =>
    [...(store.members.get(id)?.values() ?? [])].map((row) => show.profile(store.profiles.get(row.id) as ProfileRow, view, row))
  return {
    profiles: () => [...store.profiles.values()].map((row) => show.profile(row, { ...view, additional: new Set(['subscriptions']) })),
    events: () => [...store.events.values()].map((row) => show.event(row, view)),
    campaigns: () => [...store.campaigns.values()].map((row) => show.campaign(row, view)),
    metrics: things('metric'),
    lists: things('list'),
    segments: things('segment'),
    flows: things('flow'),
    templates: things('template'),
    campaign_messages: () => [...store.campaigns.values()].map((row) => show.message(row, view)),
    forms: shelf('form', store.shelf.forms),
    tags: shelf('tag', store.shelf.tags),
    images: shelf('image', store.shelf.images),
    coupons: shelf('coupon', store.shelf.coupons),
    catalog_items: shelf('catalog-item', store.shelf.items),
    flowActions: () => [...store.shelf.actions.values()].flatMap((table) => shelf('flow-action', table)()),
    flowMessages: () => [...store.shelf.messages.values()].flatMap((table) => shelf('flow-message', table)()),
    listMembers: members,
    segmentMembers: members,
    ...reportTruth(store, now),
  }
}
