import { z } from 'zod'
import type { Http } from '../../src/core/types.js'
import { at, cursorInBody, cursorParameter } from '../../src/extract/paginate.js'
import type { Api } from '../../src/http/api.js'

/**
 * HubSpot's wire. Every quirk of the vendor lives in this folder and in README.md beside this file.
 * Shapes: HubSpot's reference and API descriptions of 2026-09; limits: its usage guide. Read 2026-11-23.
 */

/** Two ways in: a private app's token (or a service key), or OAuth. */
export const settings = z
  .object({
    access_token: z
      .string()
      .optional()
      .meta({ secret: true, description: 'Token of a private app (pat-…) or a service key, with the read scopes of the streams.' }),
    client_id: z.string().optional().meta({ description: 'OAuth: the app’s id.' }),
    client_secret: z.string().optional().meta({ secret: true, description: 'OAuth: the app’s secret.' }),
    refresh_token: z
      .string()
      .optional()
      .meta({ secret: true, description: 'OAuth: the first refresh token; if another one comes back, Weir keeps it.' }),
  })
  .refine(
    (given) =>
      given.access_token !== undefined ||
      (given.client_id !== undefined && given.client_secret !== undefined && given.refresh_token !== undefined),
    { message: 'give access_token, or client_id, client_secret and refresh_token' },
  )

export type Area = 'objects' | 'properties' | 'owners' | 'pipelines' | 'lists' | 'account-info'

/** The two spellings of one API: dated versions stand after the area, numbered ones before it. `tail` begins with a slash, or is empty. */
export function path({ settings: { apiVersion } }: Http, area: Area, tail = ''): string {
  const version = String(apiVersion)
  if (area === 'account-info') return `/account-info/${version}${tail}`
  return isDated(version) ? `/crm/${area}/${version}${tail}` : `/crm/${version}/${area}${tail}`
}

const isDated = (version: string) => /^\d/.test(version)
/** Some endpoints differ by more than their spelling. */
export const speaksDates = ({ settings: { apiVersion } }: Http) => isDated(String(apiVersion))

const text = (value: unknown) => String(value ?? '')
const second = 1_000
const minute = 60_000

/** A refusal names itself by `category`; one for the rate by `errorType`, and sometimes by `category` too. */
const errorCode = (body: unknown): string | undefined => {
  const code = at(body, 'category') ?? at(body, 'errorType')
  return typeof code === 'string' ? code : undefined
}

/** A refusal for want of scopes names them apart from its sentence; older endpoints under another key. */
function errorMessage(body: unknown): string | undefined {
  const message = at(body, 'message')
  const scopes = at(body, 'errors.0.context.requiredGranularScopes') ?? at(body, 'errors.0.context.requiredScopes')
  const needed = Array.isArray(scopes) && scopes.length > 0 ? `It asks for ${scopes.join(', ')}.` : undefined
  return [typeof message === 'string' ? message : undefined, needed].filter((part) => part !== undefined).join(' ') || undefined
}

/** HubSpot rarely says when to try again; the policy that was broken tells it. Where Retry-After is there, it counts. */
const retryAfterMs: Api['retryAfterMs'] = ({ status, headers, body }) => {
  if (headers['retry-after'] !== undefined) return undefined
  // A lock by many writes: two seconds and more between requests.
  if (status === 423) return 2 * second
  // A move between data centres takes up to a day.
  if (status === 477) return 15 * minute
  const policy = at(body, 'policyName')
  // Until midnight of the account, whose time zone nobody here knows: asked again every quarter of an hour, by a durable wait.
  if (policy === 'DAILY') return 15 * minute
  if (policy === 'TEN_SECONDLY_ROLLING') return 10 * second
  // SECONDLY; a search's refusal names no policy at all.
  return second
}

export const hubspot: Api = {
  name: 'HubSpot',
  origin: 'https://api.hubapi.com',
  // Dated versions are supported for 18 months from their March or September; v1 to v3 end in September 2027 (changelog). Days are ours.
  versions: [
    { name: '2026-09', sunset: '2028-03-01' },
    { name: 'v3', sunset: '2027-09-01' },
  ],
  headers: () => ({}),
  auth: (given) =>
    given.access_token === undefined
      ? // The client is named in the body. The dated endpoint serves both styles: the one of v1 ends 2027-02-16.
        {
          kind: 'oauth',
          tokenUrl: '/oauth/2026-09/token',
          clientId: text(given.client_id),
          clientSecret: text(given.client_secret),
          refreshToken: text(given.refresh_token),
          basic: false,
        }
      : { kind: 'header', headers: { authorization: `Bearer ${text(given.access_token)}` } },
  budgets: {
    // 100 on Free and Starter, 110 by OAuth, 190 on Professional and Enterprise: the headers tell, and `learn` follows them.
    general: { windows: [{ count: 100, perMs: 10 * second }], concurrency: 8 },
    // 5 a second for the account, apart from the rest, and perhaps for all its apps together: one is left to them.
    search: { windows: [{ count: 4, perMs: second }], concurrency: 4 },
    // The batch endpoints of associations count apart: 100 on Free and Starter, 150 above. No stream reads them yet.
    associations: { windows: [{ count: 100, perMs: 10 * second }], concurrency: 4 },
  },
  // The limits belong to an app in an account; a first refresh token stands for both.
  account: (given) => text(given.access_token ?? `${text(given.client_id)} ${text(given.refresh_token)}`),
  errorCode,
  errorMessage,
  retryAfterMs,
  // None of these on searches. The day's are missing by OAuth, which has no daily limit.
  learn: (headers) => {
    const told = (name: string) => Number(headers[`x-hubspot-ratelimit-${name}`] ?? Number.NaN)
    if (told('daily-remaining') <= 0) return { pauseMs: 15 * minute }
    const [count, perMs] = [told('max'), told('interval-milliseconds')]
    if (!(count > 0 && perMs > 0)) return undefined
    return { window: { count, perMs }, ...(told('remaining') <= 1 ? { pauseMs: perMs } : {}) }
  },
  failures: [
    { status: 400, code: 'INVALID_AUTHENTICATION', reason: 'auth', hint: 'The access token is wrong or revoked.' },
    { status: 401, code: 'EXPIRED_AUTHENTICATION', reason: 'auth', hint: 'The access token has expired: authorize Weir again.' },
    { status: 401, reason: 'auth', hint: 'The access token is wrong or revoked: set access_token anew.' },
    {
      status: 403,
      reason: 'permission',
      hint: 'Grant the app the read scope of this stream (or a plan that has it), or leave the stream out.',
    },
    { status: 404, reason: 'permanent', hint: 'HubSpot does not know it: it was deleted, or this API version has no such path.' },
    { status: 414, reason: 'permanent', hint: 'The address grew too long: this is a fault of Weir.' },
    { status: 423, reason: 'throttled', hint: 'Somebody writes so much that HubSpot has locked it for a moment.' },
    { status: 429, reason: 'throttled', hint: 'The policy it names says how long to wait.' },
    { status: 477, reason: 'throttled', hint: 'HubSpot is moving the account to another data centre; that takes up to a day.' },
    { status: 530, reason: 'config', hint: 'There is no such host behind HubSpot’s network: check base_url and the account.' },
  ],
}

/** Collections that are asked for by GET: the end is the missing `paging`. Its `link` leads to the same place. */
export const pages = cursorParameter('results', 'paging.next.after', 'after')
export const pagesByBody = cursorInBody('results', 'paging.next.after', 'after')
