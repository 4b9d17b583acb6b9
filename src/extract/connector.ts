import type * as z from 'zod'
import type { Destination } from '../core/audience.js'
import { dayMs } from '../core/slices.js'
import type { Finding, Http, Source } from '../core/types.js'
import type { Api } from '../http/api.js'
import type { Consent } from '../http/consent.js'

/** One vendor: what a folder of `connectors/` exports. */
export interface Connector {
  type: string
  title: string
  /** The vendor's own keys of a connection; secrets are marked `.meta({ secret: true })`. */
  settings: z.ZodObject
  /** Those of them that a new project is given: the usual way in. */
  basics: readonly string[]
  /** Keys of a stream that the user defines (a report's query, an object's name); without it a vendor has none. */
  custom?: z.ZodObject
  /** Versions that work, the default first. */
  apiVersions: readonly [string, ...string[]]
  api: Api
  /** How a person connects it, where the vendor knows OAuth. */
  consent?: Consent
  source: Source
  /** What audiences go to, by the key that names the target in the YAML. */
  destinations?: Readonly<Record<string, AudienceDestination>>
}

export interface AudienceDestination {
  destination: Destination
  /** The vendor's own keys of one, beside the target. */
  keys?: z.ZodObject
}

const warnDays = 90

/** How long a version will live, where the vendor has said so. @param used the connection's own word; the default without it */
function lifeOf({ name, versions }: Api, used: string | undefined, now: Date): { says: string; days?: number } {
  const version = used ?? versions[0].name
  const sunset = versions.find((one) => one.name === version)?.sunset
  if (sunset === undefined) return { says: `${name} ${version}` }
  return { says: `${name} ${version}, served until ${sunset}`, days: Math.floor((Date.parse(sunset) - now.getTime()) / dayMs) }
}

const isNear = (days: number | undefined): days is number => days !== undefined && days <= warnDays
const upgrade = 'Upgrade Weir, or set api_version to a newer one.'

/** What a run says of its API version once that has 90 days left to live. */
export function sunsetWarning(api: Api, used: string | undefined, now: Date): string | undefined {
  const { says, days } = lifeOf(api, used, now)
  return isNear(days) ? `${says}: ${days} days. ${upgrade}` : undefined
}

/** What `weir check` says of the API version: how long it will live. */
export function versionFinding(api: Api, http: Http, now: Date): Finding {
  const { apiVersion } = http.settings
  const { says, days } = lifeOf(api, apiVersion === undefined ? undefined : String(apiVersion), now)
  return isNear(days)
    ? { name: 'API version', ok: false, message: `${says}: ${days} days`, hint: upgrade }
    : { name: 'API version', ok: true, message: says }
}
