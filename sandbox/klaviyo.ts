/** Klaviyo in small: the reading side of its API, revisions 2025-01-15 to 2026-10-15. Facts and guesses are told apart in README.md. */

import type { Company } from './company/company.js'
import { hash, place } from './company/dice.js'
import type { Drift } from './kit/drift.js'
import { type Reply, type Request, Router, type Vendor } from './kit/http.js'
import type { Row, Table } from './kit/table.js'
import { Access, badCredentials, klaviyoOAuth, revisionOf } from './klaviyo/access.js'
import { badCursor, type Collection, checkParameters, pageReply, type Resource, readPage, sparse, type View } from './klaviyo/collection.js'
import * as collections from './klaviyo/collections.js'
import { contentType, notFound, plainRefusal, Refused, throttled } from './klaviyo/errors.js'
import { type KlaviyoLimits, Limits, type Tier } from './klaviyo/limits.js'
import type { MemberRow, ProfileRow, ThingRow } from './klaviyo/rows.js'
import { Show } from './klaviyo/show.js'
import { KlaviyoStore } from './klaviyo/store.js'

/** Oddities that can be switched on while the sandbox runs. */
export interface KlaviyoSwitches {
  /** `greater-than` lets rows equal to the bound through. */
  boundIncluded: boolean
  /** Archived campaigns come slightly out of order, whatever sort was asked for. */
  unsortedCampaigns: boolean
  /** Cursors older than this (wall clock) are refused; null: never. */
  cursorLifeMs: number | null
}

export interface Klaviyo {
  vendor: Vendor
  store: KlaviyoStore
  access: Access
  switches: KlaviyoSwitches
  /** Everything a stream holds now, as the vendor would show it. */
  truth: KlaviyoTruth
}

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

const newestRevision = '2026-07-15'

export function createKlaviyo(company: Company, drift: Drift, rules: KlaviyoLimits | undefined): Klaviyo {
  const store = new KlaviyoStore(company)
  const show = new Show(drift)
  const access = new Access()
  const limits = new Limits(rules)
  const switches: KlaviyoSwitches = { boundIncluded: false, unsortedCampaigns: false, cursorLifeMs: null }
  const router = new Router()

  /** Revision, credentials, scopes and quota, in this order; then the answer with the quota's headers. */
  const guarded = (
    endpoint: string,
    tier: Tier,
    scopes: readonly string[],
    make: (request: Request, revision: string) => Reply,
    extras?: (request: Request) => { name: string; tier: Tier }[],
  ) => {
    router.on(endpoint, (request) => {
      const who = access.check(request, scopes)
      const revision = revisionOf(request)
      const headers = limits.spend(who, endpoint, tier, extras?.(request) ?? [])
      try {
        const reply = make(request, revision)
        return { ...reply, headers: { ...headers, ...reply.headers } }
      } catch (error) {
        if (error instanceof Refused) return { ...error.reply, headers: { ...headers, ...error.reply.headers } }
        throw error
      }
    })
  }

  /** Slower parameters draw on a counter that all endpoints share. */
  const slower = (type: string, additional: Readonly<Record<string, Tier | null>> | undefined) => (request: Request) =>
    (request.query.get(`additional-fields[${type}]`) ?? '').split(',').flatMap((name) => {
      const tier = additional?.[name.trim()]
      return tier == null ? [] : [{ name: `additional ${name.trim()}`, tier }]
    })

  const list = <R extends Row>(
    path: string,
    spec: Collection<R>,
    table: (request: Request) => Table<R>,
    one: (row: R, view: View) => unknown,
    included?: (rows: R[], view: View) => Resource[],
  ) => {
    guarded(
      `GET ${path}`,
      spec.tier,
      spec.scopes,
      (request, revision) => {
        const versioned = atRevision(spec, revision)
        const view = checkParameters(request, versioned, revision)
        const unsorted =
          switches.unsortedCampaigns &&
          spec.type === 'campaign' &&
          view.filter.some(({ field, values }) => field === 'archived' && values[0] === true)
        const { rows, next } = readPage(table(request), versioned, view, { ...switches, unsorted, place: request.path })
        return pageReply(
          request,
          rows.map((row) => one(row, view)),
          next,
          view.include.size === 0 ? undefined : included?.(rows, view),
        )
      },
      slower(spec.type, spec.additional),
    )
  }

  const single = <R extends Row>(type: string, spec: Collection<R>, table: Table<R>, one: (row: R, view: View) => Resource) => {
    guarded(
      `GET /api/${type}s/:id`,
      spec.tier,
      spec.scopes,
      (request, revision) => {
        const row = table.get(request.params.id ?? '')
        if (row === undefined) throw notFound(type, request.params.id ?? '')
        const additional = new Set((request.query.get(`additional-fields[${type}]`) ?? '').split(','))
        const resource = one(row, { request, revision, additional, include: new Set() })
        if (additional.has('profile_count')) resource.attributes.profile_count = store.members.get(row.id)?.size ?? 0
        return { status: 200, body: { data: sparse(resource, request), links: { self: `${request.origin}${request.url}` } }, contentType }
      },
      slower(type, { ...spec.additional, profile_count: 'XS' }),
    )
  }

  const profile = (row: ProfileRow, view: View) => sparse(show.profile(row, view), view.request)
  const thing = (type: string) => (row: ThingRow, view: View) => sparse(show.thing(type, row, view), view.request)
  const campaign = (row: ThingRow, view: View) => sparse(show.campaign(row, view), view.request)
  const plain = (view: View): View => ({ ...view, additional: new Set() })

  guarded('GET /api/accounts', 'XS', ['accounts:read'], (request) =>
    pageReply(request, [account(company.times.seed, request.origin)], null),
  )
  list(
    '/api/profiles',
    collections.profiles,
    () => store.profiles,
    profile,
    () => [],
  )
  list(
    '/api/events',
    collections.events,
    () => store.events,
    (row, view) => sparse(show.event(row, view), view.request),
    (rows, view) => [
      ...(view.include.has('metric')
        ? unique(rows.map(({ metric }) => metric))
            .flatMap((id) => store.metrics.get(id) ?? [])
            .map((row) => show.thing('metric', row, plain(view)))
        : []),
      ...(view.include.has('profile')
        ? unique(rows.map(({ profile: id }) => id))
            .flatMap((id) => store.profiles.get(id) ?? [])
            .map((row) => show.profile(row, plain(view)))
        : []),
    ],
  )
  list(
    '/api/metrics',
    collections.metrics,
    () => store.metrics,
    thing('metric'),
    () => [],
  )
  list(
    '/api/lists',
    collections.lists,
    () => store.lists,
    thing('list'),
    () => [],
  )
  list(
    '/api/segments',
    collections.segments,
    () => store.segments,
    thing('segment'),
    () => [],
  )
  list(
    '/api/campaigns',
    collections.campaigns,
    () => store.campaigns,
    campaign,
    (rows, view) => (view.include.has('campaign-messages') ? rows.map((row) => show.message(row, view)) : []),
  )
  list(
    '/api/flows',
    collections.flows,
    () => store.flows,
    thing('flow'),
    () => [],
  )
  list('/api/templates', collections.templates, () => store.templates, thing('template'))
  for (const of of ['list', 'segment'] as const) {
    const spec = collections.members(of, (id) => store.profiles.get(id))
    const table = (request: Request) => {
      const found = store.members.get(request.params.id ?? '')
      if (found === undefined || store[`${of}s`].get(request.params.id ?? '') === undefined) throw notFound(of, request.params.id ?? '')
      return found
    }
    const member = (row: MemberRow, view: View) => sparse(show.profile(store.profiles.get(row.id) as ProfileRow, view, row), view.request)
    list(`/api/${of}s/:id/profiles`, spec, table, member)
    list(`/api/${of}s/:id/relationships/profiles`, spec, table, ({ id }) => ({ type: 'profile', id }))
  }
  single('profile', collections.profiles, store.profiles, show.profile.bind(show))
  single('event', collections.events, store.events, show.event.bind(show))
  single('campaign', collections.campaigns, store.campaigns, show.campaign.bind(show))
  for (const type of ['metric', 'list', 'segment', 'flow', 'template'] as const) {
    single(type, collections[`${type}s`] as Collection<ThingRow>, store[`${type}s`], (row, view) => show.thing(type, row, view))
  }
  guarded('GET /api/campaigns/:id/campaign-messages', 'M', ['campaigns:read'], (request, revision) => {
    const row = store.campaigns.get(request.params.id ?? '')
    if (row === undefined) throw notFound('campaign', request.params.id ?? '')
    return pageReply(request, [show.message(row, { request, revision, additional: new Set(), include: new Set() })], null)
  })
  router.on('POST /oauth/token', (request) => token(access, request))

  const vendor: Vendor = {
    name: 'klaviyo',
    roots: ['api'],
    handle(request) {
      try {
        const reply = router.answer(request)
        return typeof reply === 'object' ? reply : plainRefusal(reply === 'no-path' ? 404 : 405)
      } catch (error) {
        if (error instanceof Refused) return error.reply
        throw error
      }
    },
    trouble(trouble) {
      if (trouble.kind === 'throttled') return throttled(trouble.retryAfter)
      if (trouble.kind === 'expired-token') return badCredentials()
      return trouble.kind === 'expired-cursor' ? badCursor() : plainRefusal(trouble.status)
    },
    page: {
      records: (body) => document(body)?.data,
      repeat(body, request) {
        const found = document(body)
        if (found?.links !== undefined) found.links.next = `${request.origin}${request.url}`
      },
      moveNext(body, origin) {
        const links = document(body)?.links
        if (typeof links?.next === 'string') links.next = origin + links.next.slice(new URL(links.next).origin.length)
      },
    },
  }
  return { vendor, store, access, switches, truth: truthOf(store, show) }
}

/** Before 2026-01-15 events came in fixed pages; from 2026-10-15 a campaign is another resource. */
function atRevision<R extends Row>(spec: Collection<R>, revision: string): Collection<R> {
  if (spec.type === 'event' && revision < '2026-01-15') return { ...spec, page: { fixed: 200 } }
  if (spec.type === 'campaign' && revision >= '2026-10-15') return collections.campaignShells as unknown as Collection<R>
  return spec
}

function document(body: unknown): { data?: unknown[]; links?: { next?: string | null } } | undefined {
  const found = body as { data?: unknown; links?: { next?: string | null } } | undefined
  return Array.isArray(found?.data) ? (found as { data: unknown[] }) : undefined
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]

function account(seed: number, origin: string): Resource {
  const id = `Sb${(hash(seed, place('account')) % 9000) + 1000}`
  return {
    type: 'account',
    id,
    attributes: {
      test_account: true,
      contact_information: {
        default_sender_name: 'Shop',
        default_sender_email: 'hello@shop.example',
        website_url: 'https://shop.example',
        organization_name: 'Sandbox Shop',
        street_address: { address1: '1 Example Street', address2: null, city: 'Lyon', region: null, country: 'France', zip: '69001' },
      },
      industry: 'Ecommerce',
      timezone: 'Europe/Paris',
      preferred_currency: 'EUR',
      public_api_key: id,
      locale: 'en-US',
    },
    links: { self: `${origin}/api/accounts/${id}/` },
  }
}

function token(access: Access, request: Request): Reply {
  const form = new URLSearchParams(request.text)
  const basic = `Basic ${Buffer.from(`${klaviyoOAuth.clientId}:${klaviyoOAuth.clientSecret}`).toString('base64')}`
  if (request.headers.authorization !== basic) return { status: 401, body: { error: 'invalid_client' } }
  if (form.get('grant_type') !== 'refresh_token') return { status: 400, body: { error: 'invalid_grant_type' } }
  const given = access.refresh(form.get('refresh_token'))
  if (given === undefined)
    return { status: 400, body: { error: 'invalid_grant', error_description: 'The refresh token is expired or revoked.' } }
  return {
    status: 200,
    body: { access_token: given.access, refresh_token: given.refresh, expires_in: given.seconds, token_type: 'bearer', scope: '' },
  }
}

function truthOf(store: KlaviyoStore, show: Show): KlaviyoTruth {
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
  const view: View = { request, revision: newestRevision, additional: new Set(), include: new Set() }
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
