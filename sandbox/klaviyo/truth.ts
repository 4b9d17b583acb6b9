/** What each stream holds now, as the vendor would show it: the other side of a row-by-row comparison. */
import type { Request } from '../kit/http.js'
import type { Resource, View } from './collection.js'
import type { ProfileRow } from './rows.js'
import type { Show } from './show.js'
import type { KlaviyoStore } from './store.js'

export interface KlaviyoTruth {
  profiles(): Resource[]
  events(): Resource[]
  metrics(): Resource[]
  lists(): Resource[]
  segments(): Resource[]
  campaigns(): Resource[]
  flows(): Resource[]
  templates(): Resource[]
  /** Members with their profile's attributes and `joined_group_at`. */
  listMembers(listId: string): Resource[]
  segmentMembers(segmentId: string): Resource[]
}

const revision = '2026-07-15'

export function truthOf(store: KlaviyoStore, show: Show): KlaviyoTruth {
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
    listMembers: members,
    segmentMembers: members,
  }
}
