/** Salesforce in small: one org behind its login host, describe, SOQL by REST and by Bulk API 2.0. Facts and guesses are told apart in README.md. */

import type { Company } from './company/company.js'
import type { Drift } from './kit/drift.js'
import { answered, type Reply, type Request, Router, type Vendor } from './kit/http.js'
import { type HeldList, heldList } from './kit/pushed.js'
import { Access, orgId, type Session, salesforceLimitedToken, salesforceOAuth, salesforceToken } from './salesforce/access.js'
import { QueryJobs } from './salesforce/bulk.js'
import { Collections } from './salesforce/collections.js'
import { describeGlobal, describeObject } from './salesforce/describe.js'
import { badSession, jsonType, notFound, overLimit, plainRefusal, refusal, refuse } from './salesforce/errors.js'
import { IngestJobs } from './salesforce/ingest.js'
import { Limits, type SalesforceLimits } from './salesforce/limits.js'
import { authorize, identity, revoke, soapLogin, token } from './salesforce/oauth.js'
import { Org } from './salesforce/org.js'
import { Queries } from './salesforce/query.js'
import { restInstant } from './salesforce/rows.js'
import { type SavedCounts, Saving } from './salesforce/saving.js'
import { SalesforceStore } from './salesforce/store.js'
import { type SalesforceTruth, truthOf } from './salesforce/truth.js'
import { appKeys, standIn } from './stand-in.js'

export interface Salesforce {
  vendor: Vendor
  store: SalesforceStore
  org: Org
  access: Access & { grant(scopes: string[], credential?: string): void }
  /** Oddities that can be switched on while the sandbox runs. */
  switches: Queries['switches'] & {
    bulk: QueryJobs['switches']
    limits: Limits['switches']
    login: Access['switches']
    saving: Saving['switches']
    ingest: IngestJobs['switches']
  }
  jobs: QueryJobs
  pushed: SavedCounts
  held: () => HeldList[]
  truth: SalesforceTruth
}

const versions = Array.from({ length: 38 }, (_, i) => 31 + i)
const releases = ["Winter '27", "Summer '26", "Spring '26", "Winter '26", "Summer '25", "Spring '25", "Winter '25"]
const newest = 68
/** A URL, and a URL with its headers (vendor's limit for both). */
const longestRequest = 16_384
const logDays = 15

export function createSalesforce(company: Company, drift: Drift, now: () => Date, rules: SalesforceLimits | undefined): Salesforce {
  const nowMs = () => now().getTime()
  const store = new SalesforceStore(company)
  const org = new Org(store, drift, nowMs)
  const access = new Access()
  const limits = new Limits(rules, nowMs)
  const queries = new Queries(org)
  const jobs = new QueryJobs(org, limits)
  const saving = new Saving(org)
  const collections = new Collections(saving)
  const ingest = new IngestJobs(saving)
  const router = new Router()

  /** A resource below `/services/data/v…`: a session, a living version, a request of the day's quota. */
  const on = (pattern: string, handle: (request: Request, session: Session, version: string) => Reply) => {
    const [method = '', path = ''] = pattern.split(' ')
    router.on(`${method} /services/data/:v${path}`, (request) => {
      const version = versionOf(request)
      const reply = answered(() => {
        const session = access.identify(request)
        limits.spend()
        return handle(request, session, version)
      })
      return { ...reply, headers: { ...limits.header(), ...reply.headers } }
    })
  }

  router.on('GET /services/data', () => ({
    status: 200,
    contentType: jsonType,
    body: versions.map((version) => ({
      label: releases[newest - version] ?? `Release ${version}`,
      url: `/services/data/v${version}.0`,
      version: `${version}.0`,
    })),
  }))
  on('GET ', (request, _, version) => {
    const at = `/services/data/v${version}`
    return json({
      identity: `${request.origin}/id/${orgId}/005`,
      sobjects: `${at}/sobjects`,
      query: `${at}/query`,
      queryAll: `${at}/queryAll`,
      limits: `${at}/limits`,
      'jobs/query': `${at}/jobs/query`,
    })
  })
  on('GET /sobjects', (request, { closed }, version) => describeGlobal(org, closed, request, version))
  on('GET /sobjects/:name/describe', (request, { closed }, version) => describeObject(org, closed, request, version))
  on('GET /sobjects/:name/deleted', (request, { closed }) => deleted(request, closed))
  on('GET /query', (request, { closed }, version) => queries.query(request, closed, false, version))
  on('GET /queryAll', (request, { closed }, version) => queries.query(request, closed, true, version))
  on('GET /query/:locator', (request) => queries.more(request))
  on('GET /queryAll/:locator', (request) => queries.more(request))
  on('GET /limits', () => json(limits.shown() as object))
  on('POST /jobs/query', (request, { closed, user }, version) => jobs.create(request, closed, user, version))
  on('GET /jobs/query', () => jobs.list())
  on('GET /jobs/query/:id', (request) => jobs.get(request))
  on('PATCH /jobs/query/:id', (request) => jobs.change(request))
  on('DELETE /jobs/query/:id', (request) => jobs.remove(request))
  on('GET /jobs/query/:id/results', (request, _, version) => jobs.results(request, version))
  on('GET /jobs/query/:id/resultPages', (request, _, version) => jobs.resultPages(request, version))

  on('POST /sobjects/:name', (request, session) => collections.create(request, session))
  on('PATCH /composite/sobjects/:name/:key', (request, session) => collections.upsert(request, session))
  on('POST /composite/sobjects', (request, session) => collections.insert(request, session))
  on('DELETE /composite/sobjects', (request) => collections.remove(request))
  on('POST /jobs/ingest', (request, session, version) => ingest.create(request, session, version))
  on('GET /jobs/ingest', () => ingest.list())
  on('GET /jobs/ingest/:id', (request) => ingest.get(request))
  on('PATCH /jobs/ingest/:id', (request) => ingest.change(request))
  on('DELETE /jobs/ingest/:id', (request) => ingest.remove(request))
  on('PUT /jobs/ingest/:id/batches', (request) => ingest.upload(request))
  on('GET /jobs/ingest/:id/:file', (request) => ingest.results(request))

  router.on('POST /services/oauth2/token', (request) => token(access, request))
  for (const method of ['GET', 'POST']) router.on(`${method} /services/oauth2/authorize`, (request) => authorize(access, request))
  router.on('POST /services/oauth2/revoke', (request) => revoke(access, request))
  router.on('POST /services/Soap/u/:v', (request) => soapLogin(access, request))
  router.on('GET /id/:org/:user', (request) => {
    // jsforce sends the session as a parameter.
    const given = request.query.get('oauth_token')
    access.identify(given === null ? request : { ...request, headers: { authorization: `Bearer ${given}` } })
    return identity(request)
  })

  /** Ids that were deleted in a range, purged ones too; the log goes back fifteen days. */
  function deleted(request: Request, closed: Session['closed']): Reply {
    const object = org.object(request.params.name ?? '', closed)
    if (object === undefined) throw notFound()
    if (!object.deletable) throw refuse(400, 'INVALID_TYPE', `${object.name} is not replicable`)
    const [start, end] = ['start', 'end'].map((name) => Date.parse(request.query.get(name) ?? '')) as [number, number]
    if (!(end - start >= 60_000)) throw refuse(400, 'INVALID_REPLICATION_DATE', 'endDate must be at least 1 minute later than startDate')
    const earliest = nowMs() - logDays * 86_400_000
    const graves = (store.graves.get(object.name) ?? []).filter(
      ({ deletedMs }) => deletedMs >= Math.max(start, earliest) && deletedMs < end,
    )
    return json({
      deletedRecords: graves.map(({ id, deletedMs }) => ({ id, deletedDate: restInstant(deletedMs) })),
      earliestDateAvailable: restInstant(earliest),
      latestDateCovered: restInstant(Math.min(end, nowMs())),
    })
  }

  const vendor: Vendor = {
    name: 'salesforce',
    roots: ['/services', '/id'],
    handle(request) {
      if (request.url.length > longestRequest) return { status: 414 }
      const headers = Object.entries(request.headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, 0)
      if (request.url.length + headers > longestRequest) return { status: 431 }
      return answered(() => {
        const reply = router.answer(request)
        return typeof reply === 'object' ? reply : plainRefusal(reply === 'no-path' ? 404 : 405)
      })
    },
    trouble(trouble) {
      if (trouble.kind === 'throttled') return overLimit('concurrent', trouble.retryAfter)
      if (trouble.kind === 'expired-token') return badSession()
      return trouble.kind === 'expired-cursor'
        ? refusal(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator')
        : plainRefusal(trouble.status)
    },
    page: {
      records: (body) => (body as { records?: unknown[] } | undefined)?.records,
      repeat(body, request) {
        Object.assign(body as object, { done: false, nextRecordsUrl: request.url })
      },
      moveNext(body, origin) {
        const page = body as { nextRecordsUrl?: string } | undefined
        if (page?.nextRecordsUrl !== undefined) page.nextRecordsUrl = `${origin}/moved`
      },
    },
  }
  const membersOf = (campaign: string) =>
    [...store.table('CampaignMember').values()].filter(({ cells, deletedMs }) => cells.CampaignId === campaign && deletedMs === null).length
  return {
    vendor,
    store,
    org,
    access: Object.assign(access, {
      grant: (scopes: string[], credential?: string) =>
        access.close(
          [...store.schema.keys()].filter((name) => !scopes.includes(name)),
          credential,
        ),
    }),
    switches: Object.assign(queries.switches, {
      bulk: jobs.switches,
      limits: limits.switches,
      login: access.switches,
      saving: saving.switches,
      ingest: ingest.switches,
    }),
    jobs,
    pushed: saving.pushed,
    held: () =>
      [...store.table('Campaign').values()].flatMap(({ id, cells }) => {
        const counts = saving.pushed.get(id)
        return counts === undefined ? [] : [heldList('campaign', String(cells.Name), membersOf(id), counts)]
      }),
    truth: truthOf(org),
  }
}

const json = (body: object): Reply => ({ status: 200, body, contentType: jsonType })

/** `v68.0`; older ones are retired, unknown ones not there. */
function versionOf({ params }: Request): string {
  const version = /^v(\d+)\.0$/.exec(params.v ?? '')?.[1]
  if (version === undefined || Number(version) > newest) throw notFound()
  if (Number(version) < 31) throw refuse(410, 'UNSUPPORTED_API_VERSION', 'This API version is retired')
  return `${version}.0`
}

export const salesforceStandIn = standIn({
  open({ company, drift, now }, limits: SalesforceLimits | undefined) {
    const opened = createSalesforce(company, drift, now, limits)
    return {
      ...opened,
      token: salesforceToken,
      /** Sees no opportunities and no phone numbers. */
      limitedToken: salesforceLimitedToken,
      oauth: salesforceOAuth,
      credentials: { token: salesforceToken },
      byOAuth: () => appKeys(salesforceOAuth, opened.access.currentRefreshToken()),
    }
  },
  connection: () => ({ access_token: salesforceToken }),
})
