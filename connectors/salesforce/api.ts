import * as z from 'zod'
import type { Http } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import type { Api, Auth, FailureLine } from '../../src/http/api.js'
import { jwtBearer, signedJwt } from '../../src/http/jwt.js'

/**
 * Salesforce's wire. Every quirk of the vendor lives in this file and in README.md beside it.
 * Paths, limits and codes: Salesforce's REST, Bulk 2.0 and SOQL guides, read 2026-11-23.
 */

const secret = (description: string) => z.string().optional().meta({ secret: true, description })
const given = (description: string) => z.string().optional().meta({ description })

/** A session of one's own, or an app with one of three proofs: a refresh token, a signed statement, its secret alone. */
export const settings = z
  .object({
    access_token: secret('A session that somebody else keeps alive; for tests.'),
    instance_url: given('With access_token: the org’s own address, unless base_url names it.'),
    login_url: given('https://login.salesforce.com (default), https://test.salesforce.com for a sandbox, or the org’s My Domain.'),
    client_id: given('The app’s consumer key.'),
    client_secret: secret(
      'The app’s consumer secret. Alone, with a My Domain as login_url, it is the client credentials flow, until `weir connect`.',
    ),
    refresh_token: secret('The first refresh token, rotated ones are kept by Weir; without it `weir connect` gets one.'),
    private_key: secret('JWT bearer flow: the RSA key, in PEM, of the certificate that the app knows.'),
    username: given('JWT bearer flow: the user as whom Weir reads.'),
  })
  .refine(
    ({ access_token, client_id, client_secret, private_key, username }) =>
      access_token !== undefined ||
      (client_id !== undefined && (client_secret !== undefined || (private_key !== undefined && username !== undefined))),
    { message: 'give client_id with client_secret, or with private_key and username' },
  )

const text = (value: unknown) => String(value ?? '')
const second = 1_000
const minute = 60_000

export const path = (http: Http, tail: string): string => `/services/data/v${String(http.settings.apiVersion)}${tail}`

const tokenPath = '/services/oauth2/token'
export const salesforceLogin = 'https://login.salesforce.com'

/** Is it one of the login hosts of all orgs, not an org's My Domain? */
export const isShared = (loginUrl: unknown): boolean => loginUrl === undefined || /\/\/(login|test)\.salesforce\.com/.test(text(loginUrl))

/** Salesforce takes at most five minutes; three leave room for clocks that differ. */
const jwtMinutes = 3

function auth(connection: Readonly<Record<string, unknown>>): Auth {
  const { access_token, instance_url, login_url, client_id, client_secret, refresh_token, private_key, username } = connection
  if (access_token !== undefined)
    return {
      kind: 'header',
      headers: { authorization: `Bearer ${text(access_token)}` },
      ...(instance_url === undefined ? {} : { apiUrl: text(instance_url) }),
    }
  const oauth = {
    kind: 'oauth',
    tokenUrl: login_url === undefined ? tokenPath : `${text(login_url).replace(/\/+$/, '')}${tokenPath}`,
    clientId: text(client_id),
    clientSecret: text(client_secret),
    basic: false,
    // The org's own host, which may change with any token: an org moves, a My Domain is renamed.
    originField: 'instance_url',
  } as const
  if (refresh_token !== undefined) return { ...oauth, refreshToken: text(refresh_token) }
  if (private_key === undefined) {
    // The shared hosts answer "request not supported on this domain" to an app that comes alone: there a person must consent.
    if (isShared(login_url)) return oauth
    const client = { client_id: text(client_id), client_secret: text(client_secret) }
    return {
      ...oauth,
      grant: (refreshToken) =>
        refreshToken === undefined
          ? { grant_type: 'client_credentials', ...client }
          : { grant_type: 'refresh_token', refresh_token: refreshToken, ...client },
    }
  }
  // The audience is the login host, also where the request goes to a My Domain.
  const aud = /\/\/test\.|\.sandbox\./.test(text(login_url)) ? 'https://test.salesforce.com' : salesforceLogin
  return {
    ...oauth,
    secrets: [text(private_key)],
    grant: (_, now) => ({
      grant_type: jwtBearer,
      assertion: signedJwt(
        { iss: text(client_id), sub: text(username), aud, exp: Math.floor(now.getTime() / second) + jwtMinutes * 60 },
        text(private_key),
      ),
    }),
  }
}

/** Words of the Bulk API, which are written in several ways: `InvalidJobState`, `INVALIDJOBSTATE`, `INVALID_JOB_STATE`. */
const bulkWords = new Set([
  'EXCEEDEDQUOTA',
  'INVALIDUSER',
  'INVALIDJOBSTATE',
  'INVALIDENTITY',
  'TIMEOUT',
  'TOOMANYLOCKFAILURE',
  'INVALIDVERSION',
])

/** Where one code says two things, the beginning of its text tells them apart, and becomes part of the code. */
const apart: Readonly<Record<string, readonly (readonly [start: string, name: string])[]>> = {
  REQUEST_LIMIT_EXCEEDED: [['ConcurrentRequests', 'CONCURRENT']],
  API_ERROR: [['Implementation restriction', 'RESTRICTION']],
}

/** Errors come as an array, those of the token endpoint as an object with the RFC's words. */
export function errorCode(body: unknown): string | undefined {
  const code = at(body, '0.errorCode') ?? at(body, 'error')
  if (typeof code !== 'string' || code === '') return undefined
  const squashed = code.toUpperCase().replaceAll('_', '')
  if (bulkWords.has(squashed)) return squashed
  const name = apart[code]?.find(([start]) => text(at(body, '0.message')).startsWith(start))?.[1]
  return name === undefined ? code : `${code}:${name}`
}

const who = 'Ask the org’s administrator'
const closed = `${who} to open it to Weir’s user (object and field permissions), or leave it out.`
const line = (status: number, code: string | undefined, reason: FailureLine['reason'], hint = ''): FailureLine => ({
  status,
  ...(code === undefined ? {} : { code }),
  reason,
  hint,
})

const failures: readonly FailureLine[] = [
  line(400, 'INVALID_FIELD', 'permission', `A field is gone or hidden: Salesforce says the same of both. ${closed}`),
  line(400, 'INVALID_TYPE', 'permission', `The object is gone or closed to Weir’s user. ${closed}`),
  line(400, 'QUERY_TIMEOUT', 'too_large', 'The query ran longer than two minutes.'),
  line(
    400,
    'OPERATION_TOO_LARGE',
    'too_large',
    `Without the permission “View All Data” large reads of activities are refused. ${who} for it.`,
  ),
  line(400, 'EXCEEDED_ID_LIMIT', 'too_large', 'More than 600,000 deletions in one range.'),
  line(400, 'TIMEOUT', 'too_large'),
  line(400, 'TOOMANYLOCKFAILURE', 'too_large'),
  line(400, 'QUERY_TOO_COMPLICATED', 'config', 'Leave formula fields out: columns: { <field>: drop }.'),
  line(400, 'INVALID_QUERY_LOCATOR', 'expired_cursor', 'Locators live two days.'),
  line(
    400,
    'API_ERROR:RESTRICTION',
    'permission',
    `This object needs the permission “View All Data”. ${who} for it, or leave the stream out.`,
  ),
  line(400, 'INVALIDUSER', 'config', 'The job belongs to another user: one user a connection.'),
  line(400, 'EXCEEDEDQUOTA', 'throttled', 'The org’s bulk quota is spent.'),
  line(400, 'INVALIDJOBSTATE', 'transient', 'The job’s state has changed meanwhile.'),
  line(400, 'INVALIDVERSION', 'config', 'This API version is retired: set api_version to a newer one.'),
  line(400, undefined, 'permanent'),
  line(
    401,
    undefined,
    'auth',
    'The session is over or was never valid, and a new one was refused too. Authorize Weir again and set the new credential.',
  ),
  line(403, 'REQUEST_LIMIT_EXCEEDED:CONCURRENT', 'throttled', 'Too many long requests at once in this org.'),
  line(
    403,
    'REQUEST_LIMIT_EXCEEDED',
    'throttled',
    'The org’s requests of the last 24 hours are spent, by all its tools together. An administrator can buy more.',
  ),
  line(403, 'EXCEEDEDQUOTA', 'throttled', 'The org’s bulk quota is spent.'),
  line(403, 'API_DISABLED_FOR_ORG', 'config', `The API is switched off. ${who} to give Weir’s user “API Enabled”.`),
  line(403, 'API_CURRENTLY_DISABLED', 'config', `The API is switched off. ${who}.`),
  line(403, 'INVALID_OPERATION_WITH_EXPIRED_PASSWORD', 'auth', 'The password of Weir’s user has expired: set a new one in Salesforce.'),
  line(403, 'TXN_SECURITY_METERING_ERROR', 'config', `A transaction security policy of the org refuses it. ${who}.`),
  line(403, 'INVALIDUSER', 'config', 'The job belongs to another user: one user a connection.'),
  line(403, undefined, 'permission', closed),
  line(404, undefined, 'permission', `It is gone, or closed to Weir’s user. ${closed}`),
  line(406, undefined, 'transient'),
  line(409, undefined, 'transient', 'The job’s state or version has changed meanwhile.'),
  line(410, undefined, 'config', 'This API version is retired: set api_version to a newer one.'),
  line(420, undefined, 'transient', 'Salesforce’s edge is busy.'),
  line(431, undefined, 'config', 'The query and its headers are longer than Salesforce takes.'),
]

/** An org's requests belong to all its tools. From this share on Weir rests, to leave them the others. */
const politeShare = 0.8

/** Both separators have been seen, and other numbers may follow: `api-usage=18/5000; api-bursts=1/750`. */
export function usageOf(header: string | undefined): { used: number; limit: number } | undefined {
  const [, used, limit] = /(?:^|[^\w-])api-usage=(\d+)\/(\d+)/.exec(header ?? '') ?? []
  return used === undefined ? undefined : { used: Number(used), limit: Number(limit) }
}

export const salesforce: Api = {
  name: 'Salesforce',
  origin: salesforceLogin,
  // Salesforce names no day: a version lives three years at least from its release, which is what stands here (README.md).
  versions: [
    { name: '68.0', sunset: '2029-10-01' },
    { name: '67.0', sunset: '2029-06-01' },
    { name: '66.0', sunset: '2029-02-01' },
    { name: '65.0', sunset: '2028-10-01' },
    { name: '64.0', sunset: '2028-06-01' },
    { name: '63.0', sunset: '2028-02-01' },
    { name: '62.0', sunset: '2027-10-01' },
  ],
  headers: () => ({}),
  auth,
  budgets: {
    // No rate is fixed; requests of 20 seconds and more are counted, 25 at once, 5 in a developer's org (limits cheat sheet).
    requests: { windows: [], concurrency: 5 },
  },
  account: ({ access_token, login_url, client_id, username, refresh_token }) =>
    [login_url, client_id, username ?? refresh_token ?? access_token].map(text).join(' '),
  failures,
  errorCode,
  errorMessage: (body) => {
    const said = at(body, '0.message') ?? at(body, 'error_description')
    // A SOQL refusal begins with the statement, a caret and the place.
    return typeof said === 'string' ? said.replace(/^[\s\S]*ERROR at Row:\d+:Column:\d+\s*/, '').trim() : undefined
  },
  // A refusal for the rate is a 403 and says only which of two limits it is.
  retryAfterMs: ({ status, headers, body }) => {
    if (status >= 500 || headers['retry-after'] !== undefined) return undefined
    const code = errorCode(body)
    if (code === 'REQUEST_LIMIT_EXCEEDED' || code === 'EXCEEDEDQUOTA') return 15 * minute
    return code === 'REQUEST_LIMIT_EXCEEDED:CONCURRENT' ? 30 * second : undefined
  },
  learn: (headers) => {
    const usage = usageOf(headers['sforce-limit-info'])
    return usage !== undefined && usage.used >= usage.limit * politeShare ? { pauseMs: 15 * minute } : undefined
  },
}
