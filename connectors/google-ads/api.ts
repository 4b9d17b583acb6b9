import * as z from 'zod'
import type { Http, Rec } from '../../src/core/types.js'
import { firstToken, keyFile } from '../../src/extract/credentials.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import type { Api } from '../../src/http/api.js'
import { classify } from '../../src/http/classify.js'
import { failures, lines } from './failures.js'
import { gaql, type Query } from './gaql.js'
import { tokenForm } from './oauth.js'

/**
 * Google Ads' wire: REST, since the vendor's own client speaks gRPC, which our budgets, retries and origin checks could not see.
 * Every quirk of the vendor lives in this folder and in README.md. Limits and shapes: v26 protos and Google's pages, read 2026-11-23.
 */

export const accountId = z.string().regex(/^\d{3}-?\d{3}-?\d{4}$/, 'an account is ten digits, such as 123-456-7890')
const patterns = z.array(z.string().min(1))

export const settings = z
  .object({
    client_id: z.string().optional().meta({ description: 'OAuth: the id of the client in your Google Cloud project.' }),
    client_secret: z.string().optional().meta({ secret: true, description: 'OAuth: its secret.' }),
    refresh_token: z.string().optional().meta({
      secret: true,
      description: 'OAuth: a token with the scope adwords, and datamanager for audiences; without it `weir connect` gets one.',
    }),
    service_account: z
      .string()
      .optional()
      .meta({ secret: true, description: 'The JSON key of a service account that was added to the Ads account, instead of OAuth.' }),
    developer_token: z
      .string()
      .optional()
      .meta({ secret: true, description: 'Not needed since 2026-09-09: access belongs to the Cloud project. Sent only if it is given.' }),
    login_customer_id: accountId.optional().meta({ description: 'The manager account through which the others are reached.' }),
    customer_ids: z.array(accountId).optional().meta({ description: 'Accounts to read; without it all that are reached.' }),
    accounts: z
      .strictObject({ include: patterns.optional(), exclude: patterns.optional() })
      .optional()
      .meta({ description: 'Which of the accounts reached: ids or names, `*` stands for any run of characters.' }),
    oauth_base_url: z.string().optional().meta({ description: 'Where tokens are given, if not https://oauth2.googleapis.com.' }),
    data_manager_base_url: z
      .string()
      .optional()
      .meta({ description: 'Where audiences go, if not https://datamanager.googleapis.com; a base_url moves it along.' }),
  })
  .refine(
    ({ client_id, client_secret, service_account }) =>
      service_account !== undefined || [client_id, client_secret].every((one) => one !== undefined),
    { message: 'give client_id and client_secret, or service_account' },
  )

const text = (value: unknown) => String(value ?? '')

/** An error stands bare in an answer, or in an array of one when it comes from searchStream. */
const errorOf = (body: unknown) => at(Array.isArray(body) ? body.find((one) => at(one, 'error') !== undefined) : body, 'error')

interface Said {
  code: string
  message: string
  details: unknown
}

/**
 * What a failure says: GoogleAdsFailure names codes by family; the layer before it only a reason (google.rpc.ErrorInfo), or nothing. Data
 * Manager names fields, each with a reason that says more than the one of the whole.
 */
function said(body: unknown): Said[] {
  const error = errorOf(body)
  const details = at(error, 'details')
  const ofFields = violationsOf(body).map(({ field, reason, description }) => ({
    code: reason,
    message: `${description || 'Invalid.'} (${field})`,
    details: undefined,
  }))
  const ofAll = (Array.isArray(details) ? (details as unknown[]) : []).flatMap((detail) => {
    const reason = at(detail, 'reason')
    if (typeof reason === 'string') return [{ code: reason, message: text(at(error, 'message')), details: at(detail, 'metadata') }]
    const errors = at(detail, 'errors')
    return (Array.isArray(errors) ? (errors as unknown[]) : []).map((one) => ({
      code: text(Object.values((at(one, 'errorCode') as Rec | undefined) ?? {})[0]),
      message: text(at(one, 'message')),
      details: at(one, 'details'),
    }))
  })
  return [...ofFields, ...ofAll]
}

/** Fields that Data Manager refuses (google.rpc.BadRequest), in snake case, their list named twice. */
export function violationsOf(body: unknown): { field: string; reason: string; description: string }[] {
  const details = at(errorOf(body), 'details')
  return (Array.isArray(details) ? (details as unknown[]) : []).flatMap((detail) => {
    const violations = at(detail, 'fieldViolations')
    return (Array.isArray(violations) ? (violations as unknown[]) : []).map((one) => ({
      field: text(at(one, 'field')),
      reason: text(at(one, 'reason')),
      description: text(at(one, 'description')),
    }))
  })
}

/** One failure may list several errors: the most permanent counts, and the table goes from those to what passes. */
function worst(body: unknown): Said | undefined {
  const errors = said(body)
  return lines.map(({ code }) => errors.find((one) => one.code === code)).find((one) => one !== undefined) ?? errors[0]
}

/** A protobuf Duration, such as "12s" or "1.5s". */
export function durationMs(value: unknown): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text(value))?.[1]
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000)
}

const second = 1_000
const minute = 60_000
const hour = 3_600_000

export const googleAds: Api = {
  name: 'Google Ads',
  origin: 'https://googleads.googleapis.com',
  hosts: { dataManager: { origin: 'https://datamanager.googleapis.com', setting: 'data_manager_base_url' } },
  // Released 2026-10-14; a major version lives about a year, then every request fails (release calendar; the month is Google's projection).
  versions: [{ name: 'v26', sunset: '2027-11-01' }],
  // Ignored since 2026-09-09, and a later version is announced to refuse it: it is sent only where the user set one.
  headers: (_, { developer_token }) => (developer_token === undefined ? {} : { 'developer-token': text(developer_token) }),
  auth: (given) => {
    const account = given.service_account === undefined ? undefined : keyFile(text(given.service_account))
    const app = { clientId: text(given.client_id), clientSecret: text(given.client_secret) }
    return {
      kind: 'oauth',
      tokenUrl: `${text(given.oauth_base_url ?? 'https://oauth2.googleapis.com').replace(/\/$/, '')}/token`,
      isTokenUrlGiven: given.oauth_base_url !== undefined,
      ...(account ? { clientId: account.email, clientSecret: '' } : { ...app, ...firstToken(given) }),
      basic: false,
      grant: (refreshToken) => {
        if (account) return tokenForm({ kind: 'service account', ...account })
        return refreshToken === undefined ? undefined : tokenForm({ kind: 'user', ...app, refreshToken })
      },
      secrets: [account?.privateKey ?? [], given.developer_token ?? []].flat().map(text),
    }
  },
  forReaders: ({ login_customer_id, customer_ids, accounts }) => ({ login_customer_id, customer_ids, accounts }),
  // Operations belong to the Cloud project: 15,000 a day at Basic access, 2,880 at Explorer, none counted at Standard. Queries a second
  // are a bucket whose size Google does not tell; a streamed report is one operation, whatever its size.
  budgets: {
    operations: {
      windows: [
        { count: 10, perMs: second },
        { count: 15_000, perMs: 24 * hour },
      ],
      concurrency: 4,
    },
    // Of Data Manager, by Cloud project: what is uploaded, and all else together.
    uploads: {
      windows: [
        { count: 300, perMs: minute },
        { count: 100_000, perMs: 24 * hour },
      ],
      concurrency: 4,
    },
    user_lists: {
      windows: [
        { count: 300, perMs: minute },
        { count: 50_000, perMs: 24 * hour },
      ],
      concurrency: 4,
    },
  },
  account: (given) => (given.service_account === undefined ? text(given.client_id) : keyFile(text(given.service_account)).email),
  failures,
  errorCode: (body) => worst(body)?.code ?? (text(at(errorOf(body), 'status')) || undefined),
  errorMessage: (body) => worst(body)?.message ?? (text(at(errorOf(body), 'message')) || undefined),
  // There are no headers that tell what is left or when to come again: the body of a refusal is all.
  retryAfterMs: ({ status, body }) => {
    const told = durationMs(at(worst(body)?.details, 'quotaErrorDetails.retryDelay'))
    if (told !== undefined) return told
    const code = worst(body)?.code
    if (status === 429 && /PerMinute/.test(text(at(worst(body)?.details, 'quota_limit')))) return minute
    // The bucket of a day: quick tries cannot help, and each costs an operation.
    return status === 429 && (code === 'RESOURCE_EXHAUSTED' || code === 'EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION') ? hour : undefined
  },
}

const version = (http: Http) => text(http.settings.apiVersion)

/** Accounts that the credential reaches by itself. */
export const accessible = (http: Http) => http.request({ path: `/${version(http)}/customers:listAccessibleCustomers` })

/** What the field service says of fields. This query has no FROM. */
export const fieldService = (http: Http, query: string) =>
  http.request({ method: 'POST', path: `/${version(http)}/googleAdsFields:search`, body: { query, pageSize: 10_000 } })

/**
 * The rows of a query as they come in, up to 10,000 at a time: one operation, whatever their number. `pageSize` and `pageToken` would
 * be refused. An answer that is under way can still end in an error, as a last element of the array.
 * @param login the account through which the customer is reached; without it, or with another, the vendor denies access
 */
export async function* rowsOf(http: Http, customer: string, login: string, query: Query): AsyncIterable<Rec[]> {
  const path = `/${version(http)}/customers/${customer}/googleAds:searchStream`
  for await (const chunk of http.stream({ method: 'POST', path, headers: { 'login-customer-id': login }, body: { query: gaql(query) } })) {
    if (chunk.error !== undefined)
      throw classify(googleAds, '', `POST ${path}`, { status: Number(at(chunk, 'error.code') ?? 500), headers: {}, body: chunk })
    // A chunk without rows has no `results`.
    if (chunk.results !== undefined) yield recordsAt('results')(chunk)
  }
}
