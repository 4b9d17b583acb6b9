/** HubSpot in small: the reading side of its API, under v3/v4 paths and under 2025-09, 2026-03 and 2026-09. Facts and guesses are told apart in README.md. */

import { dealPipelines, type Pipeline, ticketPipelines } from './company/catalogue.js'
import type { Company } from './company/company.js'
import { Access, hubspotOAuth, portalId } from './hubspot/access.js'
import { expiredToken, invalid, notFound, plainRefusal, Refused, refusal, throttled } from './hubspot/errors.js'
import { type Bucket, type HubspotLimits, Limits } from './hubspot/limits.js'
import { Lists } from './hubspot/lists.js'
import { type HubspotRecord, names, Objects, readLimit } from './hubspot/objects.js'
import { property, showProperty } from './hubspot/properties.js'
import { iso, type OwnerRow } from './hubspot/rows.js'
import { HubspotStore } from './hubspot/store.js'
import { type ObjectType, objectType, objectTypes, type TypeName } from './hubspot/types.js'
import type { Drift } from './kit/drift.js'
import { jsonObject, type Reply, type Request, Router, type Vendor } from './kit/http.js'

export interface HubspotOptions {
  /** Longest time after which a change shows in searches. */
  lagMs: number
  /** That many more text properties on contacts. */
  extraProperties: number
  limits: HubspotLimits | undefined
}

/** Oddities that can be switched on while the sandbox runs. */
export interface HubspotSwitches {
  lagMs: number
}

export interface Hubspot {
  vendor: Vendor
  store: HubspotStore
  access: Access
  switches: HubspotSwitches
  truth: HubspotTruth
}

export interface HubspotTruth {
  /** Every record with every property, archived ones too; what searches see may lag behind. */
  contacts(): HubspotRecord[]
  companies(): HubspotRecord[]
  deals(): HubspotRecord[]
  tickets(): HubspotRecord[]
  owners(): Record<string, unknown>[]
  lists(): Record<string, unknown>[]
  members(listId: string): { recordId: string; membershipTimestamp: string }[]
  properties(type: TypeName): Record<string, unknown>[]
  pipelines(type: TypeName): Record<string, unknown>[]
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
  const access = new Access()
  const limits = new Limits(rules)
  const router = new Router()
  learnDrift(store, drift, company.times.foundedMs)

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
        try {
          access.demand(who.token, scopes(request))
          const reply = handle(request)
          return { ...reply, headers: { ...headers, ...reply.headers } }
        } catch (error) {
          if (error instanceof Refused) return { ...error.reply, headers: { ...headers, ...error.reply.headers } }
          throw error
        }
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

  const pair = (request: Request) => ({ from: typeOf(request, 'from'), to: typeOf(request, 'to') })
  const pairPaths = ['/crm/v4/associations/:from/:to', ...dated('/crm/associations/:v/:from/:to')]
  const pairScopes = (request: Request) => pair(request).from.scopes
  on(
    'POST',
    pairPaths.map((path) => `${path}/batch/read`),
    pairScopes,
    (request) => readAssociations(store, pair(request), request),
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
  for (const path of ['/oauth/v1/token', '/oauth/v3/token', ...dated('/oauth/:v/token')])
    router.on(`POST ${path}`, (request) => token(access, request))
  // Contact lists v1 are gone since 2026-04-30; the general 404 says so as the vendor does.

  const vendor: Vendor = {
    name: 'hubspot',
    roots: ['crm', 'account-info', 'oauth', 'contacts', 'events', 'marketing'],
    handle(request) {
      if (request.url.length > urlMax) return plainRefusal(414)
      try {
        const reply = router.answer(request)
        return typeof reply === 'object' ? reply : plainRefusal(reply === 'no-path' ? 404 : 405)
      } catch (error) {
        if (error instanceof Refused) return error.reply
        throw error
      }
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
      records: (body) =>
        (body as { results?: unknown[]; lists?: unknown[] } | undefined)?.results ?? (body as { lists?: unknown[] } | undefined)?.lists,
      repeat(body, request) {
        const page = body as { paging?: unknown; offset?: number; hasMore?: boolean }
        const asked = jsonObject(request)
        if (page.offset !== undefined) {
          page.offset = Number(asked?.offset ?? 0)
          page.hasMore = true
        } else page.paging = { next: { after: request.query.get('after') ?? String(asked?.after ?? 0), link: request.url } }
      },
      moveNext(body, origin) {
        const next = (body as { paging?: { next?: { link?: string } } } | undefined)?.paging?.next
        if (next !== undefined) next.link = `${origin}/moved`
      },
    },
  }
  return { vendor, store, access, switches: store.options, truth: truthOf(store, objects, lists, company.times.foundedMs) }
}

/** The same path under each dated version that is served. */
const dated = (path: string) => ['2025-09', '2026-03', '2026-09'].map((version) => path.replace(':v', version))

/** A property that drift adds is a property of the account: it has a definition, or nobody could ask for it. */
function learnDrift(store: HubspotStore, drift: Drift, createdMs: number): void {
  drift.onAdd((rule) => {
    const definitions = rule.vendor === 'hubspot' ? store.properties.get(rule.of as TypeName) : undefined
    if (definitions === undefined) return
    const kind = (value: unknown) => (typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'bool' : 'string')
    if (rule.change === 'add') definitions.set(rule.key, property(rule.key, kind(rule.value), createdMs, true))
    const known = definitions.get(rule.key)
    if (rule.change === 'remove' && known !== undefined) definitions.set(rule.key, { ...known, archived: true })
    if (rule.change === 'rename') definitions.set(rule.to, property(rule.to, 'string', createdMs, true))
    if (rule.change === 'retype' && known !== undefined)
      definitions.set(rule.key, {
        ...known,
        ...(rule.to === 'number' ? { type: 'number', fieldType: 'number' } : { type: 'string', fieldType: 'text' }),
      })
  })
}

function showOwner(row: OwnerRow): Record<string, unknown> {
  const { id, email, firstName, lastName, userId, archived, createdMs, updatedMs } = row
  return {
    id,
    email,
    type: 'PERSON',
    firstName,
    lastName,
    userId: archived ? null : userId,
    userIdIncludingInactive: userId,
    createdAt: iso(createdMs),
    updatedAt: iso(updatedMs),
    archived,
    teams: archived ? [] : [{ id: '301', name: 'Sales', primary: true }],
  }
}

function pipelines(type: TypeName, createdMs: number): Record<string, unknown>[] {
  const at = { createdAt: iso(createdMs), updatedAt: iso(createdMs), archived: false }
  const served: readonly Pipeline[] = type === 'deals' ? dealPipelines : type === 'tickets' ? ticketPipelines : []
  return served.map(({ id, label, stages }, displayOrder) => ({
    id,
    label,
    displayOrder,
    ...at,
    stages: stages.map((stage, order) => ({
      id: stage.id,
      label: stage.label,
      displayOrder: order,
      ...at,
      writePermissions: 'CRM_PERMISSIONS_ENFORCEMENT',
      metadata:
        type === 'deals'
          ? { isClosed: String(stage.closed), probability: stage.probability.toFixed(1) }
          : { ticketState: stage.closed ? 'CLOSED' : 'OPEN' },
    })),
  }))
}

/** Records without a partner are reported as errors beside the rest; that is no failure. */
function readAssociations(store: HubspotStore, { from, to }: { from: ObjectType; to: ObjectType }, request: Request): Reply {
  const inputs = jsonObject(request)?.inputs
  if (!Array.isArray(inputs)) throw invalid('Invalid input JSON: inputs is required.')
  if (inputs.length > 1000) throw invalid(`The maximum number of inputs is 1000. Given: ${inputs.length}.`)
  const results: unknown[] = []
  const errors: unknown[] = []
  for (const { id } of inputs as { id: string }[]) {
    const links = store.associations.of(from.name, String(id), to.name)
    if (links.length === 0) {
      errors.push({
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
        message: `No ${to.singular} is associated with ${from.singular} ${id}.`,
        context: { fromObjectId: [String(id)], fromObjectType: [from.singular], toObjectType: [to.singular] },
      })
    } else
      results.push({
        from: { id: String(id) },
        to: links.map((link) => ({ toObjectId: link.toId, associationTypes: store.associations.types(from.name, to.name, link) })),
      })
  }
  const at = iso(Date.now())
  return {
    status: errors.length > 0 ? 207 : 200,
    body: {
      status: 'COMPLETE',
      startedAt: at,
      completedAt: at,
      results,
      ...(errors.length > 0 ? { numErrors: errors.length, errors } : {}),
    },
  }
}

function token(access: Access, request: Request): Reply {
  const form = new URLSearchParams(request.text)
  const known = form.get('client_id') === hubspotOAuth.clientId && form.get('client_secret') === hubspotOAuth.clientSecret
  const given = known && form.get('grant_type') === 'refresh_token' ? access.refresh(form.get('refresh_token')) : undefined
  if (given === undefined)
    return {
      status: 400,
      body: {
        ...(refusal(400, 'BAD_REQUEST', 'missing or invalid refresh token').body as object),
        error: 'invalid_grant',
        error_description: 'The refresh token is missing, invalid or revoked.',
      },
    }
  return {
    status: 200,
    body: {
      access_token: given.access,
      refresh_token: given.refresh,
      expires_in: given.seconds,
      token_type: 'bearer',
      token_use: 'access_token',
      hub_id: portalId,
      user_id: 1000,
      scopes: [],
    },
  }
}

function truthOf(store: HubspotStore, objects: Objects, lists: Lists, foundedMs: number): HubspotTruth {
  const records = (name: TypeName) => () => {
    const type = objectTypes.find((one) => one.name === name) as ObjectType
    const all = [...(store.properties.get(name)?.keys() ?? [])]
    return [...store.objects[name].values()].map((row) => objects.show(type, row, all))
  }
  return {
    contacts: records('contacts'),
    companies: records('companies'),
    deals: records('deals'),
    tickets: records('tickets'),
    owners: () => store.owners.map(showOwner),
    lists: () => [...store.lists.values()].map((row) => lists.show(row)),
    members: (id) =>
      [...(store.memberships.get(id)?.values() ?? [])].map((row) => ({ recordId: row.id, membershipTimestamp: iso(row.joinedMs) })),
    properties: (type) => [...(store.properties.get(type)?.values() ?? [])].map(showProperty),
    pipelines: (type) => pipelines(type, foundedMs),
  }
}
