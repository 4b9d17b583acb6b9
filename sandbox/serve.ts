/** Starts the sandbox: one company, its vendors over HTTP on the loopback, and the handles that tests turn. */
import { Company } from './company/company.js'
import { adminVendor } from './kit/admin.js'
import { createClock, type SandboxClock } from './kit/clock.js'
import { Drift } from './kit/drift.js'
import { Faults } from './kit/faults.js'
import { type LoggedRequest, type RequestFilter, RequestLog } from './kit/log.js'
import type { HeldList } from './kit/pushed.js'
import { startServer } from './kit/server.js'
import type { Keys, Opened, StandIn, World } from './stand-in.js'
import { vendors } from './vendors.js'

export { googleAdsOAuth } from './google-ads/access.js'
export { hubspotLimitedToken, hubspotOAuth, hubspotToken } from './hubspot/access.js'
export { klaviyoKey, klaviyoLimitedKey, klaviyoOAuth } from './klaviyo/access.js'
export { metaApp, metaLimitedToken, metaToken } from './meta/access.js'
export { metaAdAccounts } from './meta.js'
export { salesforceLimitedToken, salesforceOAuth, salesforceToken } from './salesforce/access.js'

type Listed = typeof vendors
type Name = keyof Listed
type LimitsOf<N extends Name> = NonNullable<Parameters<Listed[N]['open']>[1]>

/** What vendors allow, each where it is not the vendor's own. `scale`: how much faster than real time quotas refill; 1 when not given. */
export type LimitOptions = { scale?: number } & { [N in Name]?: Omit<LimitsOf<N>, 'scale'> }

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
  /** Day before which ads and searches have no figures and no changes; without it they go back to the company's beginning. */
  adsSince?: Date
}

/** Keys with which a connection reaches each vendor, beside `base_url`. */
export const sandboxConnections: Readonly<Record<string, (url: string) => Keys>> = each(vendors, ({ connection }) => connection)

type Vendors = { [N in Name]: ReturnType<Listed[N]['open']> }

function openAll(world: World, limits: SandboxOptions['limits'] = 'real'): Vendors {
  const rules = limits === 'real' ? {} : limits
  const limitsOf = (name: Name) => (rules === 'off' ? undefined : { scale: rules.scale ?? 1, ...rules[name] })
  // Each takes limits of its own form, which the list pairs with it.
  return each(vendors, (one, name) => (one as StandIn<unknown, Opened>).open(world, limitsOf(name))) as Vendors
}

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
  /** The lists that were pushed to, and what they hold. */
  held(): (HeldList & { vendor: string })[]
  stop(): Promise<void>
}

type VendorHandles = { [N in Name]: Vendors[N] & { url: string; connection: Keys } }

const opening = Date.UTC(2026, 10, 1)
const dayMs = 86_400_000

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = 1, people = 5000, activitiesPerPerson = 6, port = 0, lagMs = 0, extraProperties = 0 } = options
  const clock = createClock(options.now)
  const startMs = clock.now().getTime()
  const openedAt = options.openedAt ?? new Date(Math.min(opening, Math.floor(startMs / dayMs) * dayMs))
  if (openedAt.getTime() > startMs) throw new RangeError('The company cannot open after the first look at it.')
  const company = new Company({ seed, people, openedAt, activitiesPerPerson })
  const drift = new Drift()
  const opened = openAll({ company, drift, now: clock.now, sinceMs: options.adsSince?.getTime(), lagMs, extraProperties }, options.limits)
  const faults = new Faults()
  const log = new RequestLog()
  const catchUp = () => company.advanceTo(clock.now().getTime())
  catchUp()
  // Whoever asks for the truth gets that of this very moment.
  const truth = each(opened, ({ truth: told }) => current(told as object, catchUp)) as Sandbox['truth']
  const held = () => Object.entries<Opened>(opened).flatMap(([vendor, one]) => (one.held?.() ?? []).map((list) => ({ vendor, ...list })))
  const admin = adminVendor({
    clock,
    faults,
    drift,
    log,
    company,
    catchUp,
    truth,
    switches: each(opened, ({ switches }) => switches),
    access: each(opened, ({ access }) => access),
    credentials: each(opened, ({ credentials }) => credentials),
    held,
  })
  const served = Object.values(opened).map(({ vendor }) => vendor)
  const server = await startServer({ vendors: served, admin, faults, log, catchUp }, port)
  return {
    ...(each(opened, (one, name) => ({ ...one, url: server.url, connection: vendors[name].connection(server.url) })) as VendorHandles),
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
    held,
    stop: server.stop,
  }
}

/** Something of each vendor, by its name. */
function each<Of extends Record<Name, unknown>, T>(all: Of, of: (one: Of[Name], name: Name) => T): Record<Name, T> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, of(one as Of[Name], name as Name)])) as Record<Name, T>
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
