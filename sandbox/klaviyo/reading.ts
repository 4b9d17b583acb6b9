/** Klaviyo's reading side: which paths there are, and what each answers. */
import type { Request, Router } from '../kit/http.js'
import type { Row, Table } from '../kit/table.js'
import type { Access } from './access.js'
import { account } from './account.js'
import { type Collection, checkParameters, pageReply, type Resource, readPage, sparse, type View } from './collection.js'
import { campaignShells, campaigns, events, flows, lists, members, metrics, profiles, segments, templates } from './collections.js'
import { contentType, notFound } from './errors.js'
import { guard } from './guard.js'
import type { Limits, Tier } from './limits.js'
import { aggregates, type ReportKind, report, reportKinds } from './reports.js'
import type { EventRow, MemberRow, ProfileRow, ThingRow } from './rows.js'
import { showShelf } from './shelf.js'
import { catalogItems, coupons, flowActions, flowMessages, forms, images, tags } from './shelf-collections.js'
import type { Show } from './show.js'
import type { KlaviyoStore } from './store.js'

/** Oddities that can be switched on while the sandbox runs. */
export interface KlaviyoSwitches {
  /** `greater-than` lets rows equal to the bound through. */
  boundIncluded: boolean
  /** Archived campaigns come slightly out of order, whatever sort was asked for. */
  unsortedCampaigns: boolean
  /** Cursors older than this (wall clock) are refused; null: never. */
  cursorLifeMs: number | null
}

export interface ReadingParts {
  store: KlaviyoStore
  show: Show
  access: Access
  limits: Limits
  switches: KlaviyoSwitches
  /** The sandbox's own time, in milliseconds. */
  now: () => number
}

export function addReading(router: Router, { store, show, access, limits, switches, now }: ReadingParts): void {
  const guarded = guard(router, access, limits)

  /** Slower parameters draw on a counter that all endpoints share. */
  const slower = (type: string, additional: Readonly<Record<string, Tier | null>> | undefined) => (request: Request) =>
    (request.query.get(`additional-fields[${type}]`) ?? '').split(',').flatMap((name) => {
      const tier = additional?.[name.trim()]
      return tier == null ? [] : [{ name: `additional ${name.trim()}`, tier }]
    })

  const list = <R extends Row>(
    path: string,
    spec: Collection<R>,
    table: Table<R> | ((request: Request) => Table<R>),
    one: (row: R, view: View) => unknown,
    included: (rows: R[], view: View) => Resource[] = () => [],
  ) => {
    const make = (request: Request, revision: string) => {
      const versioned = atRevision(spec, revision)
      const view = checkParameters(request, versioned, revision)
      const archived = view.filter.some(({ field, values }) => field === 'archived' && values[0] === true)
      const options = { ...switches, unsorted: switches.unsortedCampaigns && spec.type === 'campaign' && archived, place: request.path }
      const { rows, next } = readPage(
        typeof table === 'function' ? table(request) : table,
        versioned,
        view,
        options,
        baseOf(spec, revision),
      )
      const data = rows.map((row) => one(row, view))
      return pageReply(request, data, next, view.include.size === 0 ? undefined : included(rows, view))
    }
    guarded(`GET ${path}`, spec, make, slower(spec.type, spec.additional))
  }

  const single = <R extends Row>(spec: Collection<R>, table: Table<R>, one: (row: R, view: View) => Resource) => {
    const { type } = spec
    const make = (request: Request, revision: string) => {
      const row = found(table, type, request)
      const additional = new Set((request.query.get(`additional-fields[${type}]`) ?? '').split(','))
      const resource = one(row, { request, revision, additional, include: new Set() })
      if (additional.has('profile_count')) resource.attributes.profile_count = store.members.get(row.id)?.size ?? 0
      return { status: 200, body: { data: resource, links: { self: `${request.origin}${request.url}` } }, contentType }
    }
    guarded(`GET /api/${type}s/:id`, spec, make, slower(type, { ...spec.additional, profile_count: 'XS' }))
  }

  const both = <R extends Row>(
    spec: Collection<R>,
    table: Table<R>,
    one: (row: R, view: View) => Resource,
    included?: (rows: R[], view: View) => Resource[],
  ) => {
    const leaf = (row: R, view: View) => sparse(one(row, view), view.request)
    list(`/api/${spec.type}s`, spec, table, leaf, included)
    single(spec, table, leaf)
  }

  guarded('GET /api/accounts', { tier: 'XS', scopes: ['accounts:read'] }, (request) =>
    pageReply(request, [account(store.company.times.seed, request.origin)], null),
  )
  both(profiles, store.profiles, (row, view) => show.profile(row, view))
  both(
    events,
    store.events,
    (row, view) => show.event(row, view),
    (rows, view) => besideEvents(store, show, rows, view),
  )
  for (const [spec, table] of [
    [metrics, store.metrics],
    [lists, store.lists],
    [segments, store.segments],
    [flows, store.flows],
    [templates, store.templates],
  ] as const) {
    both<ThingRow>(spec, table, (row, view) => show.thing(spec.type, row, view))
  }
  both(
    campaigns,
    store.campaigns,
    (row, view) => show.campaign(row, view),
    (rows, view) => (view.include.has('campaign-messages') ? rows.map((row) => show.message(row, view)) : []),
  )
  for (const [of, groups] of [
    ['list', store.lists],
    ['segment', store.segments],
  ] as const) {
    const spec = members(of, (id) => store.profiles.get(id))
    const table = (request: Request) => store.members.get(found(groups, of, request).id) as Table<MemberRow>
    list(`/api/${of}s/:id/profiles`, spec, table, (row, view) =>
      sparse(show.profile(store.profiles.get(row.id) as ProfileRow, view, row), view.request),
    )
    list(`/api/${of}s/:id/relationships/profiles`, spec, table, ({ id }) => ({ type: 'profile', id }))
  }
  guarded('GET /api/campaigns/:id/campaign-messages', campaigns, (request, revision) => {
    const row = found(store.campaigns, 'campaign', request)
    return pageReply(request, [show.message(row, { request, revision, additional: new Set(), include: new Set() })], null)
  })
  for (const [spec, table] of [
    [forms, store.shelf.forms],
    [tags, store.shelf.tags],
    [images, store.shelf.images],
    [coupons, store.shelf.coupons],
    [catalogItems, store.shelf.items],
  ] as const) {
    both<ThingRow>(spec, table, (row, view) => showShelf(spec.type, row, view))
  }
  for (const [spec, path, tables, of] of [
    [flowActions, '/api/flows/:id/flow-actions', store.shelf.actions, 'flow'],
    [flowMessages, '/api/flow-actions/:id/flow-messages', store.shelf.messages, 'flow-action'],
  ] as const) {
    const table = ({ params }: Request): Table<ThingRow> => {
      const found = tables.get(params.id ?? '')
      if (found === undefined) throw notFound(of, params.id ?? '')
      return found
    }
    list<ThingRow>(path, spec, table, (row, view) => sparse(showShelf(spec.type, row, view), view.request))
  }
  for (const kind of Object.keys(reportKinds) as ReportKind[]) {
    for (const what of ['values', 'series'] as const) {
      // Campaigns have no series.
      if (kind === 'campaign' && what === 'series') continue
      guarded(`POST /api/${kind}-${what}-reports`, { tier: 'reports', scopes: reportKinds[kind].scopes }, (request) =>
        report(store, kind, what === 'series', request, now()),
      )
    }
  }
  guarded('POST /api/metric-aggregates', { tier: 'S', scopes: ['metrics:read'] }, (request) => aggregates(store, request, now()))
}

function found<R extends Row>(table: Table<R>, type: string, { params }: Request): R {
  const row = table.get(params.id ?? '')
  if (row === undefined) throw notFound(type, params.id ?? '')
  return row
}

/** Before 2026-01-15 events came in fixed pages; from 2026-10-15 a campaign is another resource. */
function atRevision<R extends Row>(spec: Collection<R>, revision: string): Collection<R> {
  if (spec.type === 'event' && revision < '2026-01-15') return { ...spec, page: { fixed: 200 } }
  if (spec.type === 'campaign' && revision >= '2026-10-15') return campaignShells as unknown as Collection<R>
  return spec
}

/** Events whose metric is gone are shown since 2026-07-15 only. */
function baseOf<R extends Row>({ type, value }: Collection<R>, revision: string): ((row: R) => boolean) | undefined {
  return type === 'event' && revision < '2026-07-15' ? (row) => value(row, 'metric') !== null : undefined
}

/** Each included record once, however many events point to it. Included profiles never tell their subscriptions. */
function besideEvents(store: KlaviyoStore, show: Show, rows: readonly EventRow[], view: View): Resource[] {
  const bare = { ...view, additional: new Set<string>() }
  const beside: Resource[] = []
  if (view.include.has('metric')) {
    for (const id of new Set(rows.map(({ metric }) => metric))) {
      const row = store.metrics.get(id)
      if (row !== undefined) beside.push(sparse(show.thing('metric', row, bare), view.request))
    }
  }
  if (view.include.has('profile')) {
    for (const id of new Set(rows.map(({ profile }) => profile))) {
      const row = store.profiles.get(id)
      if (row === undefined) continue
      const shown = show.profile(row, bare)
      if (view.request.query.has('additional-fields[profile]')) shown.attributes.subscriptions = null
      beside.push(sparse(shown, view.request))
    }
  }
  return beside
}
