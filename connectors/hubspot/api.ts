import type { Http } from '../../src/core/types.js'
import { firstToken, keyOrApp } from '../../src/extract/credentials.js'
import { at, cursorParameter } from '../../src/extract/paginate.js'
import type { Api } from '../../src/http/api.js'

/**
 * HubSpot's wire. Every quirk of the vendor lives in this file and in README.md beside it.
 * Paths, limits and shapes: HubSpot's 2026-09 reference and usage guidelines, read 2026-11-23.
 */

/** Two ways in: the token of a private app or a service key, or OAuth. */
export const settings = keyOrApp('access_token', 'Token of a private app, or a service key, with the read scopes of the streams.')

/** Areas of the API, and their paths in both styles: the version stands behind the area's name, or before it. */
const areas = {
  objects: { dated: '/crm/objects/2026-09', v3: '/crm/v3/objects' },
  properties: { dated: '/crm/properties/2026-09', v3: '/crm/v3/properties' },
  owners: { dated: '/crm/owners/2026-09', v3: '/crm/v3/owners' },
  pipelines: { dated: '/crm/pipelines/2026-09', v3: '/crm/v3/pipelines' },
  lists: { dated: '/crm/lists/2026-09', v3: '/crm/v3/lists' },
  associations: { dated: '/crm/associations/2026-09', v3: '/crm/v4/associations' },
  schemas: { dated: '/crm-object-schemas/2026-09/schemas', v3: '/crm-object-schemas/v3/schemas' },
  emails: { dated: '/marketing/emails/2026-09', v3: '/marketing/v3/emails' },
  campaigns: { dated: '/marketing/campaigns/2026-09', v3: '/marketing/v3/campaigns' },
  // No dated form has been published of these three.
  forms: { dated: '/marketing/v3/forms', v3: '/marketing/v3/forms' },
  submissions: { dated: '/form-integrations/v1/submissions/forms', v3: '/form-integrations/v1/submissions/forms' },
  emailEvents: { dated: '/email/public/v1/events', v3: '/email/public/v1/events' },
  account: { dated: '/account-info/2026-09', v3: '/account-info/v3' },
} as const

export const isDated = (http: Http): boolean => http.settings.apiVersion !== 'v3'
export const path = (http: Http, area: keyof typeof areas, tail = ''): string => `${areas[area][isDated(http) ? 'dated' : 'v3']}${tail}`

const text = (value: unknown) => String(value ?? '')
const second = 1_000
const quarterHour = 15 * 60_000

const word = (body: unknown, ...paths: string[]): string | undefined => {
  for (const one of paths) {
    const value = at(body, one)
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

export const hubspot: Api = {
  name: 'HubSpot',
  origin: 'https://api.hubapi.com',
  // Dated versions live 18 months; v3 paths end in September 2027 (changelog).
  versions: [
    { name: '2026-09', sunset: '2028-03-01' },
    { name: 'v3', sunset: '2027-09-01' },
  ],
  headers: () => ({}),
  auth: (given) =>
    given.access_token === undefined
      ? {
          kind: 'oauth',
          tokenUrl: '/oauth/2026-09/token',
          clientId: text(given.client_id),
          clientSecret: text(given.client_secret),
          ...firstToken(given),
          basic: false,
        }
      : { kind: 'header', headers: { authorization: `Bearer ${text(given.access_token)}` } },
  budgets: {
    // 100 in ten rolling seconds is the smallest account's; what an account really has, the headers of good answers say.
    general: { windows: [{ count: 100, perMs: 10 * second }], concurrency: 6 },
    // Searches are counted apart, five a second for the whole account, and their answers have no rate headers.
    search: { windows: [{ count: 5, perMs: second }], concurrency: 2 },
    // So are the batch calls of associations: 100 in ten seconds for the smallest account.
    associations: { windows: [{ count: 100, perMs: 10 * second }], concurrency: 4 },
  },
  // The limits belong to an app in an account; one app may serve many accounts, and a first refresh token stands for one.
  account: (given) => text(given.access_token ?? `${text(given.client_id)} ${text(given.refresh_token)}`),
  // Refusals for the rate carry errorType, all others category; a few of either carry the other.
  errorCode: (body) => word(body, 'category', 'errorType', 'error'),
  errorMessage: (body) => {
    const scopes = at(body, 'errors.0.context.requiredGranularScopes') ?? at(body, 'errors.0.context.requiredScopes')
    const said = word(body, 'message', 'error_description')
    return Array.isArray(scopes) ? `${said ?? ''} (needs ${scopes.join(', ')})` : said
  },
  // Retry-After is not part of HubSpot's contract for a 429: the policy says how long, and the daily one ends at the account's midnight.
  retryAfterMs: ({ status, headers, body }) => {
    if (headers['retry-after'] !== undefined) return undefined
    if (status === 477) return quarterHour
    const policy = word(body, 'policyName')
    if (policy === 'DAILY') return quarterHour
    return policy === 'TEN_SECONDLY_ROLLING' ? 10 * second : second
  },
  learn: (headers) => {
    const max = Number(headers['x-hubspot-ratelimit-max'])
    const perMs = Number(headers['x-hubspot-ratelimit-interval-milliseconds'])
    const isKnown = max > 0 && perMs > 0
    const isDaySpent = headers['x-hubspot-ratelimit-daily-remaining'] === '0'
    // Others may share the app: what they spend shows only in what is left.
    const isSpent = isKnown && Number(headers['x-hubspot-ratelimit-remaining'] ?? Number.NaN) <= 1
    const pauseMs = isDaySpent ? quarterHour : isSpent ? perMs : undefined
    return { ...(isKnown ? { window: { count: max, perMs } } : {}), ...(pauseMs === undefined ? {} : { pauseMs }) }
  },
  failures: [
    { status: 400, reason: 'permanent', hint: '' },
    { status: 401, reason: 'auth', hint: 'The token is wrong, revoked or expired.' },
    { status: 403, reason: 'permission', hint: 'Grant the scope to the app, or leave this stream out.' },
    { status: 404, reason: 'permanent', hint: 'It is gone, or this account does not have it.' },
    { status: 423, reason: 'transient', hint: 'Locked while HubSpot works through many changes.' },
    // The account is being moved to another data centre; Retry-After may say up to a day.
    { status: 477, reason: 'throttled', hint: 'HubSpot is moving this account.' },
    { status: 429, reason: 'throttled', hint: '' },
    { status: 530, reason: 'config', hint: 'The account’s API does not answer under this address.' },
  ],
}

/** Most collections: records under `results`, and the cursor of the next page, which goes into the query. */
export const pages = cursorParameter('results', 'paging.next.after', 'after')
