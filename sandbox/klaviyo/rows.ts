/** What the e-mail tool keeps. Instants are whole seconds, in milliseconds; rows are replaced, never edited. */
import type { Activity, Consent } from '../company/story.js'

export interface ProfileRow {
  id: string
  email: string | null
  phone: string | null
  externalId: string | null
  first: string | null
  last: string | null
  organization: string | null
  locale: string | null
  title: string | null
  createdMs: number
  updatedMs: number
  lastEventMs: number | null
  location: Record<string, unknown>
  properties: Record<string, unknown>
  consent: Consent
  suppressions: readonly { reason: string; atMs: number }[]
}

export interface EventRow {
  id: string
  atMs: number
  /** Empty when the metric cannot be resolved any more. */
  metric: string
  profile: string
  activity: Activity
}

/** Everything of which there are few: metrics, lists, segments, campaigns, flows, templates. */
export interface ThingRow {
  id: string
  name: string
  createdMs: number
  updatedMs: number
  /** Further attributes by the vendor's names, for filters and for showing. */
  more: Record<string, unknown>
}

/** A profile in a list or segment; `id` is the profile's. */
export interface MemberRow {
  id: string
  joinedMs: number
}

export const toSecond = (ms: number): number => Math.floor(ms / 1000) * 1000

/** Dates as Klaviyo writes them: seconds and an offset. */
export const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}+00:00`
