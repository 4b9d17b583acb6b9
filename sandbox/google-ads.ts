/** Google Ads in small: the reading side of its REST API, v23 to v26, the Data Manager API, and Google's OAuth. Facts and guesses are told apart in README.md. */
import type { Company } from './company/company.js'
import { Access, googleAdsOAuth, reach } from './google-ads/access.js'
import { type Account, accountOf, accounts, dayStart, dayText, roots, wallMs } from './google-ads/accounts.js'
import { check, keptDays } from './google-ads/check.js'
import { addDataManager, type DataManager, dataManagerTrouble } from './google-ads/data-manager.js'
import { type Entities, entitiesOf, type Json } from './google-ads/entities.js'
import { expiredToken, failure, plain, queryError, Refused, refused, throttled } from './google-ads/errors.js'
import { parse, type Query } from './google-ads/gaql.js'
import { type GoogleAdsLimits, Limits } from './google-ads/limits.js'
import type { DataManagerSwitches } from './google-ads/members.js'
import { spanOf, type World } from './google-ads/rows.js'
import { run } from './google-ads/run.js'
import { type Answered, drifted, fieldGet, fieldsSearch, maskOf, type SearchSwitches, search, searchStream } from './google-ads/search.js'
import { type GoogleAdsTruth, truthOf } from './google-ads/truth.js'
import type { Drift } from './kit/drift.js'
import { type Reply, type Request, Router, type Vendor } from './kit/http.js'
import { type HeldList, heldList } from './kit/pushed.js'
import { appKeys, standIn } from './stand-in.js'

export interface GoogleAdsOptions {
  /** A day before which there are no figures. */
  sinceMs: number | undefined
  limits: GoogleAdsLimits | undefined
}

/** Oddities that can be switched on while the sandbox runs. */
export interface GoogleAdsSwitches extends SearchSwitches, DataManagerSwitches {
  /** That many changes more, all made at one instant of the day before. */
  bulkChanges: number
  /** Fields that this version no longer has. */
  removedFields: string[]
  /** A request without a developer token is refused, as before 2026-09-09. */
  needsDeveloperToken: boolean
}

export interface GoogleAds {
  vendor: Vendor
  access: Access
  switches: GoogleAdsSwitches
  truth: GoogleAdsTruth
  dataManager: DataManager
  held: () => HeldList[]
}

const served = ['v26', 'v25', 'v24', 'v23']
const ended = ['v22', 'v21', 'v20', 'v19']

export function createGoogleAds(
  company: Company,
  drift: Drift,
  now: () => Date,
  { sinceMs = 0, limits: rules }: GoogleAdsOptions,
): GoogleAds {
  const access = new Access()
  const limits = new Limits(rules)
  const switches: GoogleAdsSwitches = {
    pageRows: 10_000,
    chunkRows: 10_000,
    tokenLifeMs: null,
    streamErrorAfter: null,
    bulkChanges: 0,
    removedFields: [],
    needsDeveloperToken: false,
    statusPolls: 2,
    lateRefusals: new Map(),
    needsConsent: false,
  }
  /** They do not change: what happens to them are figures. */
  const entities = new Map(accounts.map((account) => [account.id, entitiesOf(account, company.times)]))

  const router = new Router()
    .on('POST /token', (request) => access.token(request))
    .on('GET /o/oauth2/v2/auth', (request) => access.consent(request))
    .on('POST /o/oauth2/v2/auth', (request) => access.consent(request))
  const dataManager = addDataManager(router, { company, access, limits: rules, switches, now: () => now().getTime() })

  const rowsOf = (account: Account, query: Query, range: { fromMs: number; toMs: number }): Json[] => {
    const nowMs = now().getTime()
    const world: World = {
      account,
      entities: entities.get(account.id) as Entities,
      times: company.times,
      span: spanOf(account, nowMs, Math.max(range.fromMs, company.times.foundedMs), Math.min(range.toMs, nowMs + 2 * 86_400_000), sinceMs),
      bulkChanges: switches.bulkChanges,
      lists: dataManager.lists.madeIn(account.id),
    }
    return drifted(drift, query.from ?? '', run(query, range, world))
  }

  const answer =
    (account: Account, version: string) =>
    (text: string): Answered => {
      const query = parse(text)
      const gone = query.select.find((name) => switches.removedFields.includes(name))
      if (gone !== undefined) throw queryError('UNRECOGNIZED_FIELD', `Unrecognized field in the query: '${gone}'.`)
      const range = check(query, { todayMs: dayStart(wallMs(account, now().getTime())), manager: account.manager, version })
      return { rows: rowsOf(account, query, range), fieldMask: maskOf(query.select) }
    }

  /** A call of the Ads API: who asks, in which version, for which customer. */
  const on = (pattern: string, handle: (request: Request, version: string, account: Account) => Reply) =>
    router.on(pattern, (request) => {
      const { v: version = '', cid } = request.params
      const who = access.identify(request)
      if (!('project' in who)) return who
      try {
        if (ended.includes(version))
          throw refused(
            'requestError',
            'UNSUPPORTED_VERSION',
            `Version ${version} is deprecated. Requests to this version will be blocked.`,
          )
        if (!served.includes(version)) return plain(404)
        if (switches.needsDeveloperToken && request.headers['developer-token'] === undefined)
          throw refused('authenticationError', 'DEVELOPER_TOKEN_PARAMETER_MISSING', 'The developer token parameter is missing.')
        const isNext = cid !== undefined && /"pageToken":"[^"]/.test(request.text)
        // Pages that follow cost nothing.
        const tooMany = isNext ? undefined : limits.spend(who.project, cid ?? '', version, now().getTime())
        if (tooMany !== undefined) return tooMany
        const login = request.headers['login-customer-id']
        if (cid !== undefined) reach(cid, typeof login === 'string' ? login : undefined)
        return handle(request, version, accountOf(cid ?? '') as Account)
      } catch (error) {
        if (error instanceof Refused) return failure(version, error.complaint)
        throw error
      }
    })
  on('GET /:v/customers:listAccessibleCustomers', () => ({ status: 200, body: { resourceNames: roots.map((id) => `customers/${id}`) } }))
  on('POST /:v/customers/:cid/googleAds:search', (request, version, account) =>
    search(request, account.id, answer(account, version), switches),
  )
  on('POST /:v/customers/:cid/googleAds:searchStream', (request, version, account) =>
    inArray(() => searchStream(request, version, answer(account, version), switches), version),
  )
  on('POST /:v/googleAdsFields:search', (request) => fieldsSearch(request))
  on('GET /:v/googleAdsFields/:name', (request, version) => {
    const found = fieldGet(request.params.name ?? '')
    return (
      found ?? {
        ...failure(version, { family: 'requestError', code: 'RESOURCE_NOT_FOUND', message: 'Resource was not found.' }),
        status: 404,
      }
    )
  })

  const vendor: Vendor = {
    name: 'google_ads',
    roots: [...[...served, ...ended, 'v27'].map((version) => `/${version}`), '/v1', '/token', '/o/oauth2/v2/auth'],
    handle(request) {
      const reply = router.answer(request)
      return typeof reply === 'object' ? reply : plain(404)
    },
    trouble(trouble, { path }) {
      if (path.startsWith('/v1/')) return dataManagerTrouble(trouble)
      const version = path.split('/')[1] ?? 'v26'
      const shape = (reply: Reply) => (path.endsWith(':searchStream') ? { ...reply, body: [reply.body] } : reply)
      if (trouble.kind === 'throttled')
        return shape(
          throttled(
            version,
            trouble.retryAfter === null ? null : /^\d/.test(trouble.retryAfter) ? `${trouble.retryAfter}s` : trouble.retryAfter,
          ),
        )
      if (trouble.kind === 'expired-token') return expiredToken()
      if (trouble.kind === 'expired-cursor')
        return failure(version, { family: 'requestError', code: 'EXPIRED_PAGE_TOKEN', message: 'Page token has expired.' })
      return shape(plain(trouble.status))
    },
    // Streams have no way on to another page, so there is none to lead astray.
    page: {
      records: (body) => (body as { results?: unknown[] } | undefined)?.results,
      repeat: () => undefined,
      moveNext: () => undefined,
    },
  }

  /** All that accounts show when nobody names a range: of clicks and changes only what is kept. */
  const everything = (text: string): Json[] => {
    const query = parse(text)
    const hasMetrics = query.select.some((name) => name.startsWith('metrics.'))
    const nowMs = now().getTime()
    const rule = keptDays[query.from ?? '']
    const isPlace = query.from === 'geo_target_constant'
    return accounts
      .filter(({ status, manager }) => status === 'ENABLED' && !(manager && hasMetrics))
      .slice(0, isPlace ? 1 : accounts.length)
      .flatMap((account) => {
        const firstMs = rule === undefined ? 0 : dayStart(wallMs(account, nowMs)) - (rule.days - 1) * 86_400_000
        const since = rule?.field === undefined ? '' : ` WHERE ${rule.field} >= '${dayText(firstMs)}'`
        return rowsOf(account, parse(text + since), { fromMs: firstMs, toMs: nowMs + 86_400_000 })
      })
  }
  const held = () =>
    accounts
      .flatMap(({ id }) => dataManager.lists.of(id))
      .flatMap((list) => {
        const counts = dataManager.pushed.get(list.id)
        return counts === undefined ? [] : [heldList('user list', list.name, dataManager.held(list).length, counts)]
      })
  return { vendor, access, switches, truth: truthOf(everything), dataManager, held }
}

/** What searchStream refuses stands in an array of one. */
function inArray(work: () => Reply, version: string): Reply {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const reply = failure(version, error.complaint)
    return { ...reply, body: [reply.body] }
  }
}

const reachedAt = (url: string) => ({ ...appKeys(googleAdsOAuth, googleAdsOAuth.refreshToken), oauth_base_url: url })

export const googleAdsStandIn = standIn({
  open: ({ company, drift, now, sinceMs }, limits: GoogleAdsLimits | undefined) => ({
    ...createGoogleAds(company, drift, now, { sinceMs, limits }),
    oauth: googleAdsOAuth,
    credentials: googleAdsOAuth,
    // By walking from every root; the usual way is through the manager.
    byOAuth: reachedAt,
  }),
  connection: (url) => ({ ...reachedAt(url), login_customer_id: '5555555555' }),
})
