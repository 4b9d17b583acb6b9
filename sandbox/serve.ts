/** Starts the sandbox: one company, its vendors over HTTP on the loopback, and the handles that tests turn. */
import { Company } from './company/company.js'
import { googleAdsOAuth } from './google-ads/access.js'
import type { GoogleAdsLimits } from './google-ads/limits.js'
import { createGoogleAds } from './google-ads.js'
import { hubspotLimitedToken, hubspotOAuth, hubspotToken } from './hubspot/access.js'
import type { HubspotLimits } from './hubspot/limits.js'
import { createHubspot } from './hubspot.js'
import { adminVendor } from './kit/admin.js'
import { createClock, type SandboxClock } from './kit/clock.js'
import { Drift } from './kit/drift.js'
import { Faults } from './kit/faults.js'
import { type LoggedRequest, type RequestFilter, RequestLog } from './kit/log.js'
import { startServer } from './kit/server.js'
import { klaviyoKey, klaviyoLimitedKey, klaviyoOAuth } from './klaviyo/access.js'
import type { KlaviyoLimits } from './klaviyo/limits.js'
import { createKlaviyo } from './klaviyo.js'
import { metaApp, metaLimitedToken, metaToken } from './meta/access.js'
import { accounts as metaAccounts } from './meta/accounts.js'
import type { MetaLimits } from './meta/limits.js'
import { createMeta } from './meta.js'
import { salesforceLimitedToken, salesforceOAuth, salesforceToken } from './salesforce/access.js'
import type { SalesforceLimits } from './salesforce/limits.js'
import { createSalesforce } from './salesforce.js'

export { googleAdsOAuth } from './google-ads/access.js'
export { hubspotLimitedToken, hubspotOAuth, hubspotToken } from './hubspot/access.js'
export { klaviyoKey, klaviyoLimitedKey, klaviyoOAuth } from './klaviyo/access.js'
export { metaApp, metaLimitedToken, metaToken } from './meta/access.js'
export { salesforceLimitedToken, salesforceOAuth, salesforceToken } from './salesforce/access.js'

export interface LimitOptions {
  /** How much faster than real time quotas refill; 1 when not given. */
  scale?: number
  klaviyo?: Omit<KlaviyoLimits, 'scale'>
  hubspot?: Omit<HubspotLimits, 'scale'>
  google_ads?: Omit<GoogleAdsLimits, 'scale'>
  meta?: Omit<MetaLimits, 'scale'>
  salesforce?: Omit<SalesforceLimits, 'scale'>
}

export interface SandboxOptions {
  /** The same seed and instant give the same data; 1 when not given. */
  seed?: number
  /** People at opening, 50 to 100,000; 5,000 when not given. */
  people?: number
  /** Activities (orders, opened mails, …) for each of them at opening; 6 when not given. */
  activitiesPerPerson?: number
  /** A date stops the clock there; a function is followed; without either the clock is the real one. */
  now?: Date | (() => Date)
  /** From when the company grows, by default 2026-11-01 or the day of `now` if that is earlier. */
  openedAt?: Date
  /** 0, the default, takes any free port. */
  port?: number
  /** `off` counts nothing; `real`, the default, are the vendors' own numbers. */
  limits?: 'real' | 'off' | LimitOptions
  /** Longest delay until HubSpot's search sees a change; 0 when not given. */
  lagMs?: number
  /** More text properties on HubSpot's contacts; none when not given. */
  extraProperties?: number
  /** Day before which the ad networks have no figures and no changes; without it they go back to the company's beginning. */
  adsSince?: Date
}

export const metaAdAccounts: readonly string[] = metaAccounts.map(({ id }) => `act_${id}`)

/** Every vendor: its stand-in, and how one comes in. `credentials` are those that the demo uses. */
function createVendors(company: Company, drift: Drift, now: () => Date, options: SandboxOptions) {
  const { limits = 'real', lagMs = 0, extraProperties = 0, adsSince } = options
  const rules = limits === 'real' ? {} : limits
  const of = <L>(own: (given: LimitOptions) => L) => (rules === 'off' ? undefined : { scale: rules.scale ?? 1, ...own(rules) })
  return {
    klaviyo: {
      ...createKlaviyo(
        company,
        drift,
        now,
        of(({ klaviyo }) => klaviyo),
      ),
      apiKey: klaviyoKey,
      /** May read accounts, profiles and lists only. */
      limitedApiKey: klaviyoLimitedKey,
      oauth: klaviyoOAuth,
      credentials: { apiKey: klaviyoKey },
    },
    hubspot: {
      ...createHubspot(company, drift, now, { lagMs, extraProperties, limits: of(({ hubspot }) => hubspot) }),
      token: hubspotToken,
      /** May read contacts only. */
      limitedToken: hubspotLimitedToken,
      oauth: hubspotOAuth,
      credentials: { token: hubspotToken },
    },
    google_ads: {
      ...createGoogleAds(company, drift, now, { sinceMs: adsSince?.getTime(), limits: of(({ google_ads }) => google_ads) }),
      oauth: googleAdsOAuth,
      credentials: googleAdsOAuth,
    },
    meta: {
      ...createMeta(company, drift, now, { sinceMs: adsSince?.getTime(), limits: of(({ meta }) => meta) }),
      token: metaToken,
      /** May read no ads. */
      limitedToken: metaLimitedToken,
      app: metaApp,
      /** As the settings of a connection name them. */
      adAccounts: metaAdAccounts,
      credentials: { token: metaToken, appSecret: metaApp.clientSecret, adAccounts: metaAdAccounts },
    },
    salesforce: {
      ...createSalesforce(
        company,
        drift,
        now,
        of(({ salesforce }) => salesforce),
      ),
      token: salesforceToken,
      /** Sees no opportunities and no phone numbers. */
      limitedToken: salesforceLimitedToken,
      oauth: salesforceOAuth,
      credentials: { token: salesforceToken },
    },
  }
}

type Vendors = ReturnType<typeof createVendors>
type Name = keyof Vendors

export interface Sandbox extends VendorHandles {
  /** The one origin under which all vendors are served. */
  url: string
  company: Company
  clock: SandboxClock
  faults: Faults
  drift: Drift
  /** Everything that was asked, oldest first; `clearRequests` forgets it. */
  requests(filter?: RequestFilter | string): LoggedRequest[]
  clearRequests(): void
  /** What each stream holds now, as the vendor would show it. */
  truth: { [N in Name]: Vendors[N]['truth'] }
  stop(): Promise<void>
}

type VendorHandles = { [N in Name]: Vendors[N] & { url: string } }

const opening = Date.UTC(2026, 10, 1)
const dayMs = 86_400_000

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = 1, people = 5000, activitiesPerPerson = 6, port = 0 } = options
  const clock = createClock(options.now)
  const startMs = clock.now().getTime()
  const openedAt = options.openedAt ?? new Date(Math.min(opening, Math.floor(startMs / dayMs) * dayMs))
  if (openedAt.getTime() > startMs) throw new RangeError('The company cannot open after the first look at it.')
  const company = new Company({ seed, people, openedAt, activitiesPerPerson })
  const drift = new Drift()
  const vendors = createVendors(company, drift, clock.now, options)
  const faults = new Faults()
  const log = new RequestLog()
  const catchUp = () => company.advanceTo(clock.now().getTime())
  catchUp()
  // Whoever asks for the truth gets that of this very moment.
  const truth = each(vendors, ({ truth: told }) => current(told, catchUp)) as Sandbox['truth']
  const admin = adminVendor({
    clock,
    faults,
    drift,
    log,
    company,
    catchUp,
    truth,
    switches: each(vendors, ({ switches }) => switches),
    access: each(vendors, ({ access }) => access),
    credentials: each(vendors, ({ credentials }) => credentials),
  })
  const served = Object.values(vendors).map(({ vendor }) => vendor)
  const server = await startServer({ vendors: served, admin, faults, log, catchUp }, port)
  return {
    ...(each(vendors, (one) => ({ ...one, url: server.url })) as VendorHandles),
    url: server.url,
    company,
    clock: {
      ...clock,
      set(at) {
        clock.set(at)
        catchUp()
      },
      advance(ms) {
        clock.advance(ms)
        catchUp()
      },
    },
    faults,
    drift,
    requests: (filter) => log.find(typeof filter === 'string' ? { vendor: filter } : filter),
    clearRequests: () => log.clear(),
    truth,
    stop: server.stop,
  }
}

/** Something of each vendor, by its name. */
const each = <T>(vendors: Vendors, of: (one: Vendors[Name]) => T): Record<Name, T> =>
  Object.fromEntries(Object.entries(vendors).map(([name, one]) => [name, of(one)])) as Record<Name, T>

/** The same functions, with the company brought up to the clock before each. */
function current<T extends object>(truth: T, catchUp: () => void): T {
  return new Proxy(truth, {
    get(target, name, receiver) {
      catchUp()
      return Reflect.get(target, name, receiver)
    },
  })
}
