import type { Reason } from '../../src/core/failure.js'
import type { FailureLine } from '../../src/http/api.js'

/**
 * Google's codes, from those that only a person can mend to those that pass; of several errors in one answer the first line counts.
 * Statuses are those of the codes' families (google.rpc code mapping). Source: v26 error protos, read 2026-11-23.
 */
export const of = (status: number, reason: Reason, hint: string, ...codes: string[]) =>
  codes.map((code) => ({ status, code, reason, hint }))

const authorize = 'Authorize Weir again with a user who sees the account. A consent screen in "Testing" ends tokens after seven days.'
const project =
  'Look at the Cloud project of the OAuth client: the Google Ads API must be enabled, and its access level approved for production.'
const reach =
  'Whoever owns the account must give this user access; if it is reached through a manager, set login_customer_id to that manager.'
const scopes =
  'The token lacks a scope: reading needs https://www.googleapis.com/auth/adwords, audiences https://www.googleapis.com/auth/datamanager beside it. Authorize Weir again with both.'
const dead = 'Its owner must reactivate it or finish setting it up; or leave it out: accounts: { exclude: […] }.'
const daily = 'Google keeps daily figures for 37 months: set `start` to a later day.'
const narrow = 'Asked again for fewer days at once.'

export const lines: readonly (FailureLine & { code: string })[] = [
  ...of(401, 'auth', authorize, 'OAUTH_TOKEN_EXPIRED', 'OAUTH_TOKEN_INVALID', 'OAUTH_TOKEN_REVOKED', 'OAUTH_TOKEN_DISABLED'),
  ...of(401, 'auth', authorize, 'OAUTH_TOKEN_HEADER_INVALID', 'NOT_ADS_USER', 'GOOGLE_ACCOUNT_DELETED', 'ACCESS_TOKEN_EXPIRED'),
  ...of(401, 'auth', 'The user must turn this protection on in the Google account.', 'TWO_STEP_VERIFICATION_NOT_ENROLLED'),
  ...of(401, 'auth', 'The user must turn this protection on in the Google account.', 'ADVANCED_PROTECTION_NOT_ENROLLED'),
  ...of(403, 'auth', scopes, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'),
  ...of(403, 'config', project, 'CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION', 'CLOUD_PROJECT_NOT_FOUND', 'PROJECT_DISABLED'),
  // The first two are what older versions said of a project that is not approved.
  ...of(403, 'config', project, 'DEVELOPER_TOKEN_NOT_APPROVED', 'ACTION_NOT_PERMITTED', 'SERVICE_DISABLED'),
  ...of(403, 'config', 'Someone must accept Google’s terms of service for this account.', 'MISSING_TOS'),
  ...of(400, 'config', 'This version of the API is no longer served: upgrade Weir.', 'UNSUPPORTED_VERSION'),
  ...of(400, 'config', 'login_customer_id must be ten digits.', 'INVALID_LOGIN_CUSTOMER_ID'),
  ...of(403, 'permission', reach, 'USER_PERMISSION_DENIED', 'INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION'),
  ...of(401, 'permission', reach, 'CUSTOMER_NOT_FOUND', 'CLIENT_CUSTOMER_ID_INVALID'),
  ...of(403, 'permission', dead, 'CUSTOMER_NOT_ENABLED', 'ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT'),
  ...of(403, 'permission', 'This kind of account does not have it: exclude it.', 'ACCESS_DENIED_FOR_ACCOUNT_TYPE'),
  ...of(403, 'permission', 'Google shows this metric to chosen accounts only: leave it out.', 'METRIC_ACCESS_DENIED'),
  ...of(400, 'permission', 'A manager account has no metrics: exclude it.', 'REQUESTED_METRICS_FOR_MANAGER'),
  // v24 and later, and what v23 said of the same request.
  ...of(400, 'config', daily, 'REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED', 'INVALID_DATE'),
  // What is gone at Google stays gone: the slice is set aside, and later ones go on.
  ...of(
    400,
    'permanent',
    'Google no longer has these days: 90 of clicks and change_status, 30 of change_event.',
    'DATE_TOO_OLD',
    'START_DATE_TOO_OLD',
  ),
  ...of(504, 'too_large', narrow, 'RPC_DEADLINE_TOO_SHORT'),
  ...of(429, 'too_large', narrow, 'EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION'),
  ...of(400, 'too_large', narrow, 'DATE_RANGE_TOO_WIDE', 'TOO_MANY_SEGMENTS', 'REQUEST_TOO_LARGE'),
  ...of(
    429,
    'throttled',
    'A quota is spent: one of a minute is back after it; of the day’s operations Google says not when they return, so it is asked each hour.',
    'RESOURCE_EXHAUSTED',
  ),
  ...of(429, 'throttled', 'Asked again in an hour.', 'EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION'),
  ...of(429, 'throttled', '', 'RESOURCE_TEMPORARILY_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'),
  ...of(409, 'transient', '', 'CONCURRENT_MODIFICATION'),
  ...of(500, 'transient', '', 'TRANSIENT_ERROR', 'INTERNAL_ERROR'),
  ...of(504, 'transient', '', 'DEADLINE_EXCEEDED'),
]

export const failures: readonly FailureLine[] = [
  ...lines,
  // Every other code of a query or a request: the query itself is wrong, or its fields are gone in this version.
  { status: 400, reason: 'config', hint: 'Google refuses the query: correct the report, or upgrade Weir if it is not yours.' },
  { status: 401, reason: 'auth', hint: authorize },
  { status: 404, reason: 'config', hint: 'This version of the API is not served here: upgrade Weir, or look at base_url.' },
]
