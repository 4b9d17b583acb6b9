import { createHmac } from 'node:crypto'
import * as z from 'zod'
import type { Http } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import type { Api } from '../../src/http/api.js'
import { failures, tacit, throttles } from './failures.js'
import { regainMs, usagePercent } from './usage.js'

/**
 * Meta's wire. Every quirk of the vendor lives in this folder and in README.md. Versions, limits and shapes: Meta's Marketing API pages
 * and changelogs, and the models of its Python SDK 26.0.3, read 2026-11-23.
 */

export const accountId = z.string().regex(/^act_\d+$/, 'an ad account is act_ and digits, such as act_1234567890')

export const settings = z
  .object({
    access_token: z.string().optional().meta({
      secret: true,
      description:
        'Token of a system user with ads_read, and ads_management for audiences: it need not expire. A person’s lives 60 days; `weir connect` gets one.',
    }),
    app_id: z.string().optional().meta({ description: 'Id of the app, for `weir connect`.' }),
    app_secret: z.string().optional().meta({
      secret: true,
      description: 'Secret of the app, for the proof that Meta may demand beside the token, and for `weir connect`.',
    }),
    ad_accounts: z.array(accountId).min(1).meta({ description: 'Ad accounts to read: act_1234567890.' }),
  })
  .refine(({ access_token, app_id, app_secret }) => access_token !== undefined || (app_id !== undefined && app_secret !== undefined), {
    message: 'give access_token, or app_id and app_secret',
  })

const text = (value: unknown) => String(value ?? '')
const second = 1_000
const minute = 60 * second

/** Ids are below the version; an unversioned path would be the oldest version that the app may use. */
export const path = (http: Http, tail: string): string => `/${text(http.settings.apiVersion)}/${tail}`

/** Ad accounts by their digits, as the field `account_id` has them. */
export async function* adAccounts(http: Http): AsyncIterable<string> {
  for (const id of (http.settings.ad_accounts as readonly string[] | undefined) ?? []) yield id.replace(/^act_/, '')
}

/** `code/subcode`, as far as they are there; for what Meta gives no code of its own, a word of ours behind the code. */
function errorCode(body: unknown): string | undefined {
  const code = at(body, 'error.code')
  if (code === undefined || code === null) return undefined
  const said = text(at(body, 'error.message'))
  const word = tacit.find(([base, pattern]) => base === code && pattern.test(said))?.[2]
  const full = [code, at(body, 'error.error_subcode') ?? word].filter((part) => part !== undefined && part !== null).join('/')
  const isKnown = failures.some((line) => line.code !== undefined && `${full}/`.startsWith(`${line.code}/`))
  return !isKnown && at(body, 'error.is_transient') === true ? `transient/${full}` : full
}

export const meta: Api = {
  name: 'Meta',
  origin: 'https://graph.facebook.com',
  // Meta has named neither day yet. Marketing versions have died 11 to 13 months after their release (2026-07-29, 2026-02-18): the earliest.
  versions: [
    { name: 'v26.0', sunset: '2027-06-29' },
    { name: 'v25.0', sunset: '2027-01-18' },
  ],
  headers: () => ({}),
  forReaders: ({ ad_accounts }) => ({ ad_accounts }),
  auth: (given) => {
    const { app_id, app_secret, access_token } = given
    const credential = (token: string) => ({
      headers: { authorization: `Bearer ${token}` },
      ...(app_secret === undefined
        ? {}
        : { query: { appsecret_proof: createHmac('sha256', text(app_secret)).update(token).digest('hex') } }),
    })
    if (app_id === undefined) return { kind: 'header', ...credential(text(access_token)) }
    const app = { clientId: text(app_id), clientSecret: text(app_secret) }
    return { kind: 'token', ...app, ...(access_token === undefined ? {} : { token: text(access_token) }), credential }
  },
  // An ad account has a score of 60 (limited access) or 9,000 (full) in five minutes; reads cost one, submitted reports three. A report
  // is one submission, some polls and its pages, so a request costs 1.7 at most. Which access it is, the headers of an answer say.
  budgets: { account: { windows: [{ count: 36, perMs: 5 * minute }], concurrency: 4 } },
  account: (given) => text(given.access_token ?? given.app_id),
  errorCode,
  // Titles and their texts come in the language of the token's owner; `message` is the developer's.
  errorMessage: (body) => (at(body, 'error.message') === undefined ? undefined : text(at(body, 'error.message'))),
  // Refusals for the rate are HTTP 400. How long to wait stands in headers: minutes in one, seconds in another.
  retryAfterMs: ({ headers, body }) => {
    const code = Number(at(body, 'error.code'))
    if (!throttles.has(code)) return undefined
    const told = regainMs(headers)
    if (told !== undefined) return told > 0 ? told : undefined
    // Without a word: an account is blocked for a minute with full access, for five without.
    return code === 17 || code === 613 ? 5 * minute : undefined
  },
  learn: (headers) => {
    const { percent, tier } = usagePercent(headers)
    const regain = regainMs(headers) ?? 0
    // What others spend of the account shows only in the percents. The pauses of the last two are those that others have found to do.
    const brakeMs = percent >= 95 ? 10 * minute : percent >= 85 ? 2 * minute : percent >= 75 ? (percent - 70) * second : 0
    const pauseMs = Math.max(regain, brakeMs)
    return {
      ...(tier === undefined ? {} : { window: { count: tier === 'standard_access' ? 5_400 : 36, perMs: 5 * minute } }),
      ...(pauseMs > 0 ? { pauseMs } : {}),
    }
  },
  failures,
}
