import * as z from 'zod'
import type { Http, HttpRequest, Rec } from '../../src/core/types.js'
import { firstToken, keyFile } from '../../src/extract/credentials.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import type { Api } from '../../src/http/api.js'
import { failures } from './failures.js'
import { statement } from './service-account.js'

/**
 * Google Search Console's wire. Every quirk of the vendor stands in this folder and in README.md.
 * Limits and shapes: Google's pages of the Search Console API (reference, usage limits, "getting your performance data"), read 2026-11-27.
 */

const token = 'a token with the scope https://www.googleapis.com/auth/webmasters.readonly'

export const settings = z
  .object({
    service_account: z
      .string()
      .optional()
      .meta({ secret: true, description: 'The JSON key of a service account that was added to the properties as a user.' }),
    client_id: z.string().optional().meta({ description: 'Or OAuth: the id of the client in your Google Cloud project.' }),
    client_secret: z.string().optional().meta({ secret: true, description: 'OAuth: its secret.' }),
    refresh_token: z
      .string()
      .optional()
      .meta({ secret: true, description: `OAuth: ${token}; without it \`weir connect\` gets one.` }),
    sites: z.array(z.string().min(1)).optional().meta({
      description:
        'Properties to read, as Search Console writes them: `sc-domain:example.com`, `https://www.example.com/`. Without it all.',
    }),
    oauth_base_url: z.string().optional().meta({ description: 'Where tokens are given, if not https://oauth2.googleapis.com.' }),
  })
  .refine(
    ({ client_id, client_secret, service_account }) =>
      service_account !== undefined || [client_id, client_secret].every((one) => one !== undefined),
    { message: 'give service_account, or client_id and client_secret' },
  )

const text = (value: unknown) => String(value ?? '')
const second = 1_000
const minute = 60_000

/** `{ error: { code, message, errors: [{ reason, domain }], status, details: [{ reason }] } }`: newer refusals have `details`, older ones `errors`. */
const codeOf = (body: unknown): string | undefined => {
  const details = at(body, 'error.details')
  const reasons = Array.isArray(details) ? details.map((one) => at(one, 'reason')) : []
  return [...reasons, at(body, 'error.errors.0.reason'), at(body, 'error.status')].find((one) => typeof one === 'string') as
    | string
    | undefined
}

export const searchConsole: Api = {
  name: 'Search Console',
  origin: 'https://www.googleapis.com',
  // No end is announced, and none of the pages names a policy.
  versions: [{ name: 'v3' }],
  headers: () => ({}),
  auth: (given) => ({
    kind: 'oauth',
    tokenUrl: `${text(given.oauth_base_url ?? 'https://oauth2.googleapis.com').replace(/\/$/, '')}/token`,
    isTokenUrlGiven: given.oauth_base_url !== undefined,
    basic: false,
    ...(given.service_account === undefined
      ? { clientId: text(given.client_id), clientSecret: text(given.client_secret), ...firstToken(given) }
      : serviceAccount(text(given.service_account))),
  }),
  forReaders: ({ sites }) => ({ sites }),
  // Per user; the limits of a site are the same, and those of a project far above. What a query costs beside is not published.
  budgets: {
    search: { windows: [{ count: 1_200, perMs: minute }], concurrency: 8 },
    other: {
      windows: [
        { count: 20, perMs: second },
        { count: 200, perMs: minute },
      ],
      concurrency: 4,
    },
  },
  account: (given) => (given.service_account === undefined ? text(given.client_id) : keyFile(text(given.service_account)).email),
  failures,
  errorCode: codeOf,
  errorMessage: (body) => text(at(body, 'error.message')) || undefined,
  // What Google says of an exceeded load: "wait 15 minutes and try again". Too many at once has a code of its own, and no such wait.
  retryAfterMs: ({ body }) => (codeOf(body) === 'quotaExceeded' ? 15 * minute : undefined),
}

const serviceAccount = (json: string) => {
  const key = keyFile(json)
  return { clientId: key.email, clientSecret: '', secrets: [key.privateKey], grant: (_: unknown, now: Date) => statement(key, now) }
}

const base = (http: Http) => `/webmasters/${text(http.settings.apiVersion)}/sites`
/** A property's name is an address itself: its slashes must not part the path. */
const siteOf = (http: Http, site: string) => `${base(http)}/${encodeURIComponent(site)}`

export const listSites = (http: Http): HttpRequest => ({ path: base(http), budget: 'other' })
export const listSitemaps = (http: Http, site: string): HttpRequest => ({ path: `${siteOf(http, site)}/sitemaps`, budget: 'other' })

/** Clicks and impressions of days, both included, grouped by dimensions. */
export interface Query {
  startDate: string
  endDate: string
  dimensions: readonly string[]
  type?: string
}

/** The vendor's largest page. */
const rowLimit = 25_000
export const searchAnalytics = (http: Http, site: string, query: Query): HttpRequest => ({
  method: 'POST',
  path: `${siteOf(http, site)}/searchAnalytics/query`,
  // Figures of the last days change for a while and are left out: only what is final is read.
  body: { ...query, rowLimit, startRow: 0, dataState: 'final' },
})

/** An empty list is not written at all. */
export const listed = (name: string) => (body: Rec) => (body[name] === undefined ? [] : recordsAt(name)(body))

/** Where nothing was found there are no `rows`, but always how they would have been aggregated. @throws Failure where neither is there */
export const rows = (body: Rec): Rec[] => (body.responseAggregationType === undefined ? recordsAt('rows')(body) : listed('rows')(body))
