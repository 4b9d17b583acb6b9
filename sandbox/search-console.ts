/** Google Search Console in small: properties, sitemaps and search analytics. Facts and guesses are told apart in README.md. */
import type { Company } from './company/company.js'
import { Access, googleAdsOAuth } from './google-ads/access.js'
import type { Drift } from './kit/drift.js'
import { answered, type Reply, type Request, type Vendor } from './kit/http.js'
import { closed, quotaExceeded, refusal, refuse } from './search-console/errors.js'
import { sitemapsOf, sites } from './search-console/facts.js'
import { Limits, type SearchConsoleLimits } from './search-console/limits.js'
import { asked, rowsOf } from './search-console/query.js'
import { truthOf } from './search-console/truth.js'
import { appKeys, standIn } from './stand-in.js'

const root = '/webmasters/v3/sites'
/** Google's token endpoint is one for all its APIs; here each has its own, so that their tokens end apart. */
const tokenPath = '/search-console/token'
const scopes = ['https://www.googleapis.com/auth/webmasters.readonly', 'https://www.googleapis.com/auth/webmasters']

/** Oddities that can be switched on while the sandbox runs. */
export interface SearchConsoleSwitches {
  /** That many queries are refused for their load before the next one passes. */
  overload: number
  /** Properties that were removed. */
  goneSites: string[]
  /** Rows in a page at most, so that small answers have several. */
  pageRows: number
}

function createSearchConsole(company: Company, drift: Drift, now: () => Date, sinceMs: number, rules: SearchConsoleLimits | undefined) {
  const access = new Access(scopes.slice(0, 1))
  const limits = new Limits(rules)
  const switches: SearchConsoleSwitches = { overload: 0, goneSites: [], pageRows: 25_000 }
  const nowMs = () => now().getTime()
  const shown = (of: string, id: string, record: object) => drift.apply('search_console', of, id, { ...record })
  const standing = () => sites.filter(({ siteUrl }) => !switches.goneSites.includes(siteUrl))
  const allSites = () => standing().map((site) => shown('site', site.siteUrl, site))
  const numberOf = (site: string) => sites.findIndex(({ siteUrl }) => siteUrl === site)
  const sitemaps = (site: number) => sitemapsOf(site, company.times).map((one) => shown('sitemap', one.path, one))

  /** The number of a property that the user may look into. @throws Refused otherwise */
  function open(site: string): number {
    const found = standing().find(({ siteUrl }) => siteUrl === site)
    if (!found || found.permissionLevel === 'siteUnverifiedUser') throw closed(site)
    return numberOf(site)
  }

  function query(request: Request, site: string): Reply {
    limits.spend('search')
    if (switches.overload > 0) {
      switches.overload--
      throw quotaExceeded()
    }
    const question = asked(request)
    const most = Math.min(question.rowLimit, switches.pageRows)
    const all = rowsOf(company.times, drift, open(site), question, nowMs(), sinceMs)
    const rows = all.slice(question.startRow, question.startRow + (request.halfPage ? Math.ceil(most / 2) : most))
    const isByPage = question.dimensions.includes('page')
    // Where nothing was found there is no list.
    return { status: 200, body: { ...(rows.length > 0 ? { rows } : {}), responseAggregationType: isByPage ? 'byPage' : 'byProperty' } }
  }

  const vendor: Vendor = {
    name: 'search_console',
    roots: [root, '/search-console'],
    handle: (request) =>
      answered(() => {
        if (request.path === tokenPath) return access.token(request)
        const grant = access.grantOf(request)
        if (grant === undefined || grant.expiresAtMs <= Date.now()) throw refuse(401)
        if (!grant.scopes.some((scope) => scopes.includes(scope)))
          throw refuse(403, { reason: 'insufficientPermissions', message: 'Insufficient Permission' })
        // A property is an address itself, so the path is taken as it was written.
        const [site, ...rest] = (request.url.split('?')[0] ?? '').slice(root.length + 1).split('/')
        const what = `${request.method} ${site ? 'site' : ''}/${rest.join('/')}`
        if (what === 'POST site/searchAnalytics/query') return query(request, decodeURIComponent(site!))
        limits.spend('other')
        if (what === 'GET /') return { status: 200, body: { siteEntry: allSites() } }
        if (what === 'GET site/sitemaps') {
          const found = sitemaps(open(decodeURIComponent(site!)))
          return { status: 200, body: found.length > 0 ? { sitemap: found } : {} }
        }
        throw refuse(404)
      }),
    trouble(trouble) {
      if (trouble.kind === 'throttled')
        return { ...refusal(429), headers: trouble.retryAfter === null ? {} : { 'retry-after': trouble.retryAfter } }
      if (trouble.kind === 'expired-token') return refusal(401)
      return trouble.kind === 'expired-cursor' ? refusal(400) : refusal(trouble.status)
    },
    // Whoever reads counts the rows: an answer has no way on that could lead astray, and an empty one is the end.
    page: { records: () => undefined, repeat: () => undefined, moveNext: () => undefined },
  }
  const truth = truthOf({
    sites: allSites,
    sitemaps,
    rows: (site, question) => rowsOf(company.times, drift, site, question, nowMs(), sinceMs),
    nowMs,
  })
  return { vendor, access, switches, truth }
}

const keys = (url: string) => ({ ...appKeys(googleAdsOAuth, googleAdsOAuth.refreshToken), oauth_base_url: `${url}/search-console` })

export const searchConsoleStandIn = standIn({
  open: ({ company, drift, now, sinceMs = 0 }, limits: SearchConsoleLimits | undefined) => ({
    ...createSearchConsole(company, drift, now, sinceMs, limits),
    oauth: googleAdsOAuth,
    credentials: googleAdsOAuth,
    byOAuth: keys,
  }),
  connection: keys,
})
