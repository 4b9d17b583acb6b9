import { firstToken, keyOrApp } from '../../src/extract/credentials.js'
import { at, nextLink } from '../../src/extract/paginate.js'
import type { Api } from '../../src/http/api.js'

/**
 * Klaviyo's wire. Every quirk of the vendor lives in this file and in README.md beside it.
 * Limits and shapes: Klaviyo's OpenAPI description, revision 2026-07-15, read 2026-11-23.
 */

/** Two ways in: a private key, or OAuth. */
export const settings = keyOrApp('api_key', 'A private key (pk_…) with the read scopes of the streams.')

const text = (value: unknown) => String(value ?? '')
const second = 1_000
const minute = 60_000

/** The first entry of the error list: `{ errors: [{ code, title, detail, … }] }`; every member may be missing. */
const firstError = (body: unknown, member: string): string | undefined => {
  const value = at(body, `errors.0.${member}`)
  return typeof value === 'string' ? value : undefined
}

export const klaviyo: Api = {
  name: 'Klaviyo',
  origin: 'https://a.klaviyo.com',
  // A revision lives two years: one stable, one deprecated (versioning policy).
  versions: [{ name: '2026-07-15', sunset: '2028-07-15' }],
  headers: (revision) => ({
    accept: 'application/vnd.api+json',
    revision,
    // A retired revision is otherwise served as the next one, with 200s of another shape; so it is a 410.
    'x-klaviyo-revision-fall-forward-opt-out': '1',
  }),
  auth: (given) =>
    given.api_key === undefined
      ? // Token traffic goes to a.klaviyo.com since 2025-03-31; the client is authenticated by Basic.
        {
          kind: 'oauth',
          tokenUrl: '/oauth/token',
          clientId: text(given.client_id),
          clientSecret: text(given.client_secret),
          ...firstToken(given),
          basic: true,
        }
      : { kind: 'header', headers: { authorization: `Klaviyo-API-Key ${text(given.api_key)}` } },
  // Fixed windows of a second and a minute at once, per account and endpoint. The description says 750 a minute for L, older pages 700.
  budgets: {
    L: {
      windows: [
        { count: 75, perMs: second },
        { count: 700, perMs: minute },
      ],
      concurrency: 8,
    },
    S: {
      windows: [
        { count: 3, perMs: second },
        { count: 60, perMs: minute },
      ],
      concurrency: 2,
    },
    M: {
      windows: [
        { count: 10, perMs: second },
        { count: 150, perMs: minute },
      ],
      concurrency: 4,
    },
    XL: {
      windows: [
        { count: 350, perMs: second },
        { count: 3_500, perMs: minute },
      ],
      concurrency: 8,
    },
    // What `profile_count` costs beside the plain call, the same for lists and segments.
    counts: {
      windows: [
        { count: 1, perMs: second },
        { count: 15, perMs: minute },
      ],
      concurrency: 1,
    },
    // Two a minute, and no more a day than these.
    reports: {
      windows: [
        { count: 1, perMs: second },
        { count: 2, perMs: minute },
        { count: 225, perMs: 24 * 60 * minute },
      ],
      concurrency: 1,
    },
    accounts: {
      windows: [
        { count: 1, perMs: second },
        { count: 15, perMs: minute },
      ],
      concurrency: 1,
    },
  },
  endpoint: (method, path) => `${method} ${path.replace(/^(\/api\/[a-z-]+)\/[^/]+/, '$1/{id}').replace(/\/$/, '')}`,
  account: (given) => text(given.api_key ?? given.client_id),
  errorCode: (body) => firstError(body, 'code'),
  errorMessage: (body) => firstError(body, 'detail') ?? firstError(body, 'title'),
  // The headers of good answers describe the minute's window; a 429 has none of them.
  learn: (headers) => {
    const remaining = Number(headers['ratelimit-remaining'] ?? Number.NaN)
    const resetSeconds = Number(headers['ratelimit-reset'] ?? Number.NaN)
    return remaining <= 1 && resetSeconds > 0 && resetSeconds <= 60 ? { pauseMs: resetSeconds * 1000 } : undefined
  },
  failures: [
    { status: 400, code: 'not_authenticated', reason: 'auth', hint: 'Set api_key.' },
    { status: 400, code: 'authentication_failed', reason: 'auth', hint: 'The private key is wrong or revoked.' },
    { status: 401, reason: 'auth', hint: 'The private key is wrong or revoked.' },
    {
      status: 403,
      code: 'permission_denied',
      reason: 'permission',
      hint: 'The key lacks the read scope of this stream: make a key with it, or leave the stream out.',
    },
    { status: 404, reason: 'permanent', hint: 'It was deleted at Klaviyo.' },
    { status: 410, reason: 'config', hint: 'This revision is retired: upgrade Weir.' },
    { status: 429, reason: 'throttled', hint: 'Retry-After is in seconds.' },
  ],
}

/** Every collection: records under `data`, the whole URL of the next page under `links.next`, sent back untouched. */
export const pages = nextLink('data', 'links.next')
