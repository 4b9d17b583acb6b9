import type { z } from 'zod'
import type { Destination } from '../core/audience.js'
import { dayMs } from '../core/slices.js'
import type { Finding, Http, Source } from '../core/types.js'
import type { Api } from '../http/api.js'

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

/** What `weir check` says of the API version: how long it will live. */
export function versionFinding({ name, versions }: Api, http: Http, now: Date): Finding {
  const used = String(http.settings.apiVersion ?? versions[0].name)
  const sunset = versions.find((version) => version.name === used)?.sunset
  if (sunset === undefined) return { name: 'API version', ok: true, message: `${name} ${used}` }
  const days = Math.floor((Date.parse(sunset) - now.getTime()) / dayMs)
  const message = `${name} ${used}, served until ${sunset}`
  return days > warnDays
    ? { name: 'API version', ok: true, message }
    : { name: 'API version', ok: false, message: `${message}: ${days} days`, hint: 'Upgrade Weir, or set api_version to a newer one.' }
}
