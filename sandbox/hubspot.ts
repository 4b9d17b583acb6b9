/** HubSpot in small: the reading side of its API and what audiences write, under v3/v4 paths and under 2025-09, 2026-03 and 2026-09. Facts and guesses are told apart in README.md. */

import type { Company } from './company/company.js'
import { Access, hubspotLimitedToken, hubspotOAuth, hubspotToken, portalId } from './hubspot/access.js'
import { readAssociations, recordAssociations } from './hubspot/associations.js'
import { EmailEvents } from './hubspot/email-events.js'
import { expiredToken, invalid, notFound, plainRefusal, refusal, throttled } from './hubspot/errors.js'
import { type Bucket, type HubspotLimits, Limits } from './hubspot/limits.js'
import { Lists } from './hubspot/lists.js'
import { addMarketing, token as placeToken } from './hubspot/marketing-routes.js'
import { authorize, token } from './hubspot/oauth.js'
import { names, Objects, readLimit } from './hubspot/objects.js'
import { learnDrift, showProperty } from './hubspot/properties.js'
import { iso } from './hubspot/rows.js'
import { pipelines, showOwner, showSchema } from './hubspot/setup.js'
import { HubspotStore } from './hubspot/store.js'
import { type HubspotTruth, truthOf } from './hubspot/truth.js'
import { type ObjectType, objectType, objectTypes } from './hubspot/types.js'
import { idsOf, type Pushed, Writing, type WritingSwitches } from './hubspot/writing.js'
import type { Drift } from './kit/drift.js'
import { answered, jsonObject, Refused, type Reply, type Request, Router, type Vendor } from './kit/http.js'
import type { HeldList } from './kit/pushed.js'
import { appKeys, standIn } from './stand-in.js'

export interface HubspotOptions {
  /** Longest time after which a change shows in searches. */
  lagMs: number
  /** That many more text properties on contacts. */
  extraProperties: number
  /** Undefined counts no calls. */
  limits: HubspotLimits | undefined
}

/** Oddities that can be switched on while the sandbox runs. */
export interface HubspotSwitches {
  /** Longest time after which a change shows in searches; holds for changes made from now on. */
  lagMs: number
}

export interface Hubspot {
  vendor: Vendor
  store: HubspotStore
  access: Access
  switches: HubspotSwitches
  /** What is pushed, and the oddities of pushing it. */
  writing: { pushed: Pushed; switches: WritingSwitches }
  truth: HubspotTruth
  held: () => HeldList[]
}

const urlMax = 16_000

export function createHubspot(
  company: Company,
  drift: Drift,
  now: () => Date,
  { lagMs, extraProperties, limits: rules }: HubspotOptions,
): Hubspot {
  const store = new HubspotStore(company, { lagMs, extraProperties })
  const objects = new Objects(store, drift, () => now().getTime())
  const lists = new Lists(store)
  const writing = new Writing({ store, objects, lists, now: () => now().getTime() })
  const access = new Access()
  const limits = new Limits(rules)
  const router = new Router()
  learnDrift(store.properties, drift, company.times.foundedMs)

  const on = (
    method: string,
    paths: readonly string[],
    scopes: (request: Request) => readonly string[],
    handle: (request: Request) => Reply,
    bucket: Bucket = 'general',
  ) => {
    for (const path of paths) {
      router.on(`${method} ${path}`, (request) => {
        const who = access.identify(request)
        const headers = limits.spend(who, bucket, now())
        const reply = answered(() => {
          access.demand(who.token, scopes(request))
          const also = objectType(request.params.type ?? '')?.alsoScope
          if (also !== undefined) access.demand(who.token, [also])
          return handle(request)
        })
        return { ...reply, headers: { ...headers, ...reply.headers } }
      })
    }
  }
  const typeOf = (request: Request, name = 'type'): ObjectType => {
    const type = objectType(request.params[name] ?? '')
    if (type === undefined) throw new Refused(refusal(400, 'VALIDATION_ERROR', `Unable to infer object type from: ${request.params[name]}`))
    return type
  }
  const ofType = (request: Request) => typeOf(request).scopes
  const anyOf =
    (...scopes: string[]) =>
    () =>
      scopes

  on('GET', ['/account-info/v3/details', ...dated('/account-info/:v/details')], anyOf(), () => ({
    status: 200,
    body: {
      portalId,
      accountType: 'DEVELOPER_TEST',
      timeZone: 'UTC',
      companyCurrency: 'EUR',
      additionalCurrencies: [],
      utcOffset: '+00:00',
      utcOffsetMilliseconds: 0,
      uiDomain: 'app.hubspot.com',
      dataHostingLocation: 'na1',
    },
  }))
  on('GET', ['/account-info/v3/api-usage/daily/private-apps', ...dated('/account-info/:v/api-usage/daily/private-apps')], anyOf(), () => ({
    status: 200,
    body: {
      results: [
        {
          name: 'private-apps-api-calls-daily',
          usageLimit: limits.dailyLimit,
          currentUsage: limits.dailyUsed,
          collectedAt: iso(now().getTime()),
          fetchStatus: 'SUCCESS',
        },
      ],
    },
  }))

  const base = ['/crm/v3/objects/:type', ...dated('/crm/objects/:v/:type')]
  const below = (tail: string) => base.map((path) => path + tail)
  on('POST', below('/search'), ofType, (request) => objects.search(typeOf(request), request), 'search')
  on('POST', below('/batch/read'), ofType, (request) => objects.batchRead(typeOf(request), request))
  on(
    'POST',
    below('/batch/upsert'),
    (request) => typeOf(request).writeScopes,
    (request) => writing.upsert(typeOf(request), request),
  )
  on('GET', base, ofType, (request) => objects.list(typeOf(request), request))
  on('GET', below('/:id'), ofType, (request) => objects.get(typeOf(request), request.params.id ?? '', request))

  const propertyPaths = ['/crm/v3/properties/:type', ...dated('/crm/properties/:v/:type')]
  const schemaOf = (request: Request) => typeOf(request).schemaScopes
  on('GET', propertyPaths, schemaOf, (request) => {
    const archived = request.query.get('archived') === 'true'
    return {
      status: 200,
      body: {
        results: [...(store.properties.get(typeOf(request).name)?.values() ?? [])]
          .filter((row) => row.archived === archived)
          .map(showProperty),
      },
    }
  })
  on(
    'GET',
    propertyPaths.map((path) => `${path}/:name`),
    schemaOf,
    (request) => {
      const row = store.properties.get(typeOf(request).name)?.get(request.params.name ?? '')
      if (row === undefined) throw notFound(`Property "${request.params.name}" does not exist.`)
      return { status: 200, body: showProperty(row) }
    },
  )

  on('GET', ['/crm/v3/owners', ...dated('/crm/owners/:v')], anyOf('crm.objects.owners.read'), (request) => {
    const archived = request.query.get('archived') === 'true'
    const limit = readLimit(request, 500, 100)
    const rows = store.owners.filter((row) => row.archived === archived)
    const after = request.query.get('after')
    const from = after === null ? 0 : rows.findIndex((row) => Buffer.from(row.id).toString('base64url') === after) + 1
    const page = rows.slice(from, from + limit)
    const last = page.at(-1)
    return {
      status: 200,
      body: {
        results: page.map(showOwner),
        ...(last !== undefined && from + page.length < rows.length
          ? { paging: objects.paging(request, Buffer.from(last.id).toString('base64url')) }
          : {}),
      },
    }
  })
  on('GET', ['/crm/v3/pipelines/:type', ...dated('/crm/pipelines/:v/:type')], ofType, (request) => ({
    status: 200,
    body: { results: pipelines(typeOf(request).name, company.times.foundedMs) },
  }))

  const listBase = ['/crm/v3/lists', ...dated('/crm/lists/:v')]
  const listScopes = anyOf('crm.lists.read')
  on('GET', listBase, listScopes, (request) => lists.byIds(names(request, 'listIds')))
  on(
    'POST',
    listBase.map((path) => `${path}/search`),
    listScopes,
    (request) => lists.search(request),
  )
  on('POST', ['/crm/lists/2026-09/all'], listScopes, (request) => lists.all(request))
  on(
    'GET',
    listBase.map((path) => `${path}/object-type-id/:type/name/:name`),
    listScopes,
    (request) => lists.byName(request.params.type ?? '', request.params.name ?? ''),
  )
  on(
    'GET',
    listBase.map((path) => `${path}/:id`),
    listScopes,
    (request) => lists.get(request.params.id ?? ''),
  )
  on(
    'GET',
    listBase.map((path) => `${path}/:id/memberships`),
    listScopes,
    (request) => lists.members(request.params.id ?? '', request, false),
  )
  on(
    'GET',
    listBase.map((path) => `${path}/:id/memberships/join-order`),
    listScopes,
    (request) => lists.members(request.params.id ?? '', request, true),
  )

  const listWriting = anyOf('crm.lists.write')
  on('POST', listBase, listWriting, (request) => writing.makeList(request))
  const memberships = (tail: string, handle: (request: Request) => Reply) =>
    on(
      'PUT',
      listBase.map((path) => `${path}/:id/memberships/${tail}`),
      listWriting,
      handle,
    )
  memberships('add', (request) => writing.members(request.params.id ?? '', idsOf(request), []))
  memberships('remove', (request) => writing.members(request.params.id ?? '', [], idsOf(request)))
  memberships('add-and-remove', (request) => {
    const { recordIdsToAdd = [], recordIdsToRemove = [] } = (jsonObject(request) ?? {}) as Record<string, unknown[] | undefined>
    return writing.members(request.params.id ?? '', recordIdsToAdd, recordIdsToRemove)
  })

  const pair = (request: Request) => ({ from: typeOf(request, 'from'), to: typeOf(request, 'to') })
  const pairPaths = ['/crm/v4/associations/:from/:to', ...dated('/crm/associations/:v/:from/:to')]
  const pairScopes = (request: Request) => pair(request).from.scopes
  on(
    'POST',
    pairPaths.map((path) => `${path}/batch/read`),
    pairScopes,
    (request) => readAssociations(store.associations, pair(request), request),
    'associations',
  )
  on(
    'GET',
    pairPaths.map((path) => `${path}/labels`),
    pairScopes,
    (request) => {
      const { from, to } = pair(request)
      return { status: 200, body: { results: store.associations.labels(from.name, to.name) } }
    },
  )
  const onePaths = ['/crm/v4/objects/:from/:id/associations/:to', ...dated('/crm/objects/:v/:from/:id/associations/:to')]
  on('GET', onePaths, pairScopes, (request) => recordAssociations(store.associations, pair(request), request), 'associations')
  const schemas = ['/crm-object-schemas/v3/schemas', '/crm/v3/schemas', ...dated('/crm-object-schemas/:v/schemas')]
  on('GET', schemas, anyOf('crm.schemas.custom.read'), () => ({
    status: 200,
    body: { results: objectTypes.filter(({ objectTypeId }) => objectTypeId.startsWith('2-')).map((type) => showSchema(type, store)) },
  }))
  const events = new EmailEvents(company)
  addMarketing(on, dated, store, events, () => now().getTime())
  for (const path of ['/oauth/v1/token', '/oauth/v3/token', ...dated('/oauth/:v/token')])
    router.on(`POST ${path}`, (request) => token(access, request))
  for (const method of ['GET', 'POST']) router.on(`${method} /oauth/authorize`, (request) => authorize(access, request))
  // Contact lists v1 are gone since 2026-04-30; the general 404 says so as the vendor does.

  const vendor: Vendor = {
    name: 'hubspot',
    roots: ['/crm', '/crm-object-schemas', '/account-info', '/oauth', '/contacts', '/events', '/marketing', '/form-integrations', '/email'],
    handle(request) {
      if (request.url.length > urlMax) return plainRefusal(414)
      return answered(() => {
        const reply = router.answer(request)
        return typeof reply === 'object' ? reply : plainRefusal(reply === 'no-path' ? 404 : 405)
      })
    },
    trouble(trouble, request) {
      if (trouble.kind === 'throttled') {
        const search = request.path.endsWith('/search')
        return throttled(search ? 'SECONDLY' : 'TEN_SECONDLY_ROLLING', !search, trouble.retryAfter)
      }
      if (trouble.kind === 'expired-token') return expiredToken(5)
      return trouble.kind === 'expired-cursor'
        ? invalid('The cursor is not valid.', { subCategory: 'INVALID_CURSOR' }).reply
        : plainRefusal(trouble.status)
    },
    page: {
      records: (body) => {
        const page = body as { results?: unknown[]; lists?: unknown[]; events?: unknown[] } | undefined
        return page?.results ?? page?.lists ?? page?.events
      },
      repeat(body, request) {
        const page = body as { paging?: unknown; offset?: number | string; hasMore?: boolean }
        const asked = jsonObject(request)
        if (page.offset !== undefined) {
          page.offset = typeof page.offset === 'string' ? (request.query.get('offset') ?? placeToken(0)) : Number(asked?.offset ?? 0)
          page.hasMore = true
        } else page.paging = { next: { after: request.query.get('after') ?? String(asked?.after ?? 0), link: request.url } }
      },
      moveNext(body, origin) {
        const next = (body as { paging?: { next?: { link?: string } } } | undefined)?.paging?.next
        if (next !== undefined) next.link = `${origin}/moved`
      },
    },
  }
  return {
    vendor,
    store,
    access,
    switches: store.options,
    writing,
    truth: truthOf(store, objects, lists, events, () => now().getTime()),
    held: () => writing.held(),
  }
}

/** The same path under each dated version that is served. */
const dated = (path: string) => ['2025-09', '2026-03', '2026-09'].map((version) => path.replace(':v', version))

export const hubspotStandIn = standIn({
  open({ company, drift, now, lagMs, extraProperties }, limits: HubspotLimits | undefined) {
    const opened = createHubspot(company, drift, now, { lagMs, extraProperties, limits })
    return {
      ...opened,
      token: hubspotToken,
      /** May read contacts only. */
      limitedToken: hubspotLimitedToken,
      oauth: hubspotOAuth,
      credentials: { token: hubspotToken },
      byOAuth: () => appKeys(hubspotOAuth, opened.access.currentRefreshToken()),
    }
  },
  connection: () => ({ access_token: hubspotToken }),
})
