/** Starts the sandbox: one company, its vendors over HTTP on the loopback, and the handles that tests turn. */
import { Company } from './company/company.js'
import { type Access as GoogleAdsAccess, googleAdsOAuth } from './google-ads/access.js'
import type { GoogleAdsLimits } from './google-ads/limits.js'
import type { GoogleAdsTruth } from './google-ads/truth.js'
import { createGoogleAds, type GoogleAdsSwitches } from './google-ads.js'
import { type Access as HubspotAccess, hubspotLimitedToken, hubspotOAuth, hubspotToken } from './hubspot/access.js'
import type { HubspotLimits } from './hubspot/limits.js'
import type { HubspotTruth } from './hubspot/truth.js'
import { createHubspot, type HubspotSwitches } from './hubspot.js'
import { adminVendor } from './kit/admin.js'
import { createClock, type SandboxClock } from './kit/clock.js'
import { Drift } from './kit/drift.js'
import { Faults } from './kit/faults.js'
import { type LoggedRequest, type RequestFilter, RequestLog } from './kit/log.js'
import { startServer } from './kit/server.js'
import { type Access as KlaviyoAccess, klaviyoKey, klaviyoLimitedKey, klaviyoOAuth } from './klaviyo/access.js'
import type { KlaviyoLimits } from './klaviyo/limits.js'
import type { KlaviyoSwitches } from './klaviyo/reading.js'
import type { KlaviyoTruth } from './klaviyo/truth.js'
import { createKlaviyo } from './klaviyo.js'

export { googleAdsOAuth } from './google-ads/access.js'
export { hubspotLimitedToken, hubspotOAuth, hubspotToken } from './hubspot/access.js'
export { klaviyoKey, klaviyoLimitedKey, klaviyoOAuth } from './klaviyo/access.js'

export interface LimitOptions {
  /** How much faster than real time quotas refill; 1 when not given. */
  scale?: number
  klaviyo?: Omit<KlaviyoLimits, 'scale'>
  hubspot?: Omit<HubspotLimits, 'scale'>
  google_ads?: Omit<GoogleAdsLimits, 'scale'>
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
  /** Day before which Google Ads has no figures and no changes; without it they go back to the company's beginning. */
  adsSince?: Date
}

export interface Sandbox {
  /** The one origin under which all vendors are served. */
  url: string
  klaviyo: {
    url: string
    apiKey: string
    /** May read accounts, profiles and lists only. */
    limitedApiKey: string
    oauth: typeof klaviyoOAuth
    access: KlaviyoAccess
    switches: KlaviyoSwitches
  }
  hubspot: {
    url: string
    token: string
    /** May read contacts only. */
    limitedToken: string
    oauth: typeof hubspotOAuth
    access: HubspotAccess
    switches: HubspotSwitches
  }
  google_ads: {
    url: string
    oauth: typeof googleAdsOAuth
    access: GoogleAdsAccess
    switches: GoogleAdsSwitches
  }
  company: Company
  clock: SandboxClock
  faults: Faults
  drift: Drift
  /** Everything that was asked, oldest first; `clearRequests` forgets it. */
  requests(filter?: RequestFilter | string): LoggedRequest[]
  clearRequests(): void
  /** What each stream holds now, as the vendor would show it. */
  truth: { klaviyo: KlaviyoTruth; hubspot: HubspotTruth; google_ads: GoogleAdsTruth }
  stop(): Promise<void>
}

const opening = Date.UTC(2026, 10, 1)
const dayMs = 86_400_000

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = 1, people = 5000, activitiesPerPerson = 6, limits = 'real', lagMs = 0, extraProperties = 0, port = 0 } = options
  const clock = createClock(options.now)
  const startMs = clock.now().getTime()
  const openedAt = options.openedAt ?? new Date(Math.min(opening, Math.floor(startMs / dayMs) * dayMs))
  if (openedAt.getTime() > startMs) throw new RangeError('The company cannot open after the first look at it.')
  const company = new Company({ seed, people, openedAt, activitiesPerPerson })
  const drift = new Drift()
  const rules = limits === 'real' ? {} : limits
  const klaviyo = createKlaviyo(company, drift, rules === 'off' ? undefined : { scale: rules.scale ?? 1, ...rules.klaviyo })
  const hubspotLimits = rules === 'off' ? undefined : { scale: rules.scale ?? 1, ...rules.hubspot }
  const hubspot = createHubspot(company, drift, clock.now, { lagMs, extraProperties, limits: hubspotLimits })
  const googleAds = createGoogleAds(company, drift, clock.now, {
    sinceMs: options.adsSince?.getTime(),
    limits: rules === 'off' ? undefined : { scale: rules.scale ?? 1, ...rules.google_ads },
  })
  const faults = new Faults()
  const log = new RequestLog()
  const catchUp = () => company.advanceTo(clock.now().getTime())
  catchUp()
  // Whoever asks for the truth gets that of this very moment.
  const truth = {
    klaviyo: current(klaviyo.truth, catchUp),
    hubspot: current(hubspot.truth, catchUp),
    google_ads: current(googleAds.truth, catchUp),
  }
  const vendors = [klaviyo.vendor, hubspot.vendor, googleAds.vendor]
  const switches = { klaviyo: klaviyo.switches, hubspot: hubspot.switches, google_ads: googleAds.switches }
  const access = { klaviyo: klaviyo.access, hubspot: hubspot.access, google_ads: googleAds.access }
  const admin = adminVendor({
    clock,
    faults,
    drift,
    log,
    company,
    catchUp,
    truth,
    switches,
    access,
    credentials: { klaviyo: { apiKey: klaviyoKey }, hubspot: { token: hubspotToken }, google_ads: googleAdsOAuth },
  })
  const server = await startServer({ vendors, admin, faults, log, catchUp }, port)
  return {
    url: server.url,
    klaviyo: {
      url: server.url,
      apiKey: klaviyoKey,
      limitedApiKey: klaviyoLimitedKey,
      oauth: klaviyoOAuth,
      access: klaviyo.access,
      switches: klaviyo.switches,
    },
    hubspot: {
      url: server.url,
      token: hubspotToken,
      limitedToken: hubspotLimitedToken,
      oauth: hubspotOAuth,
      access: hubspot.access,
      switches: hubspot.switches,
    },
    google_ads: { url: server.url, oauth: googleAdsOAuth, access: googleAds.access, switches: googleAds.switches },
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

/** The same functions, with the company brought up to the clock before each. */
function current<T extends object>(truth: T, catchUp: () => void): T {
  return new Proxy(truth, {
    get(target, name, receiver) {
      catchUp()
      return Reflect.get(target, name, receiver)
    },
  })
}
