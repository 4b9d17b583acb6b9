/** What a vendor's stand-in gives to the sandbox: `vendors.ts` lists them, and nothing else need know a new one. */
import type { Company } from './company/company.js'
import type { Drift } from './kit/drift.js'
import type { Vendor } from './kit/http.js'
import type { HeldList } from './kit/pushed.js'

/** What a stand-in stands in: one company, and what the sandbox was told at its start. */
export interface World {
  company: Company
  drift: Drift
  now: () => Date
  /** Instant before which there are no figures of ads and searches. */
  sinceMs: number | undefined
  /** Longest delay until a search sees a change. */
  lagMs: number
  /** More text properties on contacts. */
  extraProperties: number
}

/** Keys of a connection as a project file has them: no secrets, the same everywhere. */
export type Keys = Readonly<Record<string, string | readonly string[]>>

/** A vendor that is open. What else it has, tests turn by name. */
export interface Opened {
  vendor: Vendor
  access: { grant(scopes: string[], credential?: string): void; revoke(credential?: string): void; expireTokens(): void }
  /** Oddities that can be switched on while it runs. */
  switches: object
  /** What each stream holds now, as the vendor would show it. */
  truth: object
  /** Lists that were pushed to, where the vendor takes any. */
  held?: () => HeldList[]
  /** What the demo comes in with. */
  credentials: unknown
  /** The keys of a connection that comes in with tokens that end, where the usual way has none. @param url where the sandbox listens */
  byOAuth?: (url: string) => Keys
}

export interface StandIn<Limits, Is extends Opened> {
  /** @param limits undefined counts no calls */
  open(world: World, limits: Limits | undefined): Is
  /** The usual way in, beside `base_url`. @param url where the sandbox listens */
  connection(url: string): Keys
}

/** Checks the form, and keeps what else a vendor has. */
export const standIn = <Limits, Is extends Opened>(given: StandIn<Limits, Is>): StandIn<Limits, Is> => given

/** The keys of an OAuth app. */
export const appKeys = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }, refreshToken: string): Keys => ({
  client_id: clientId,
  client_secret: clientSecret,
  refresh_token: refreshToken,
})
