import type { Reason } from '../../../src/core/failure.js'
import type { Refusal } from '../refusals.js'
import { early, key, refusal } from './wire.js'

/** Every code of the vendor that means something of its own: its family, the status of that, and what Weir makes of it. */
const table: [code: string, family: string, status: number, name: string, reason: Reason][] = [
  ['OAUTH_TOKEN_EXPIRED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_INVALID', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_REVOKED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_DISABLED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_HEADER_INVALID', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['NOT_ADS_USER', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['GOOGLE_ACCOUNT_DELETED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['TWO_STEP_VERIFICATION_NOT_ENROLLED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['ADVANCED_PROTECTION_NOT_ENROLLED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['CUSTOMER_NOT_FOUND', 'authenticationError', 401, 'UNAUTHENTICATED', 'permission'],
  ['CLIENT_CUSTOMER_ID_INVALID', 'authenticationError', 401, 'UNAUTHENTICATED', 'permission'],
  ['CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['CLOUD_PROJECT_NOT_FOUND', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['PROJECT_DISABLED', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['DEVELOPER_TOKEN_NOT_APPROVED', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['ACTION_NOT_PERMITTED', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['MISSING_TOS', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['UNSUPPORTED_VERSION', 'requestError', 400, 'INVALID_ARGUMENT', 'config'],
  ['INVALID_LOGIN_CUSTOMER_ID', 'headerError', 400, 'INVALID_ARGUMENT', 'config'],
  ['USER_PERMISSION_DENIED', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['CUSTOMER_NOT_ENABLED', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['ACCESS_DENIED_FOR_ACCOUNT_TYPE', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['METRIC_ACCESS_DENIED', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['REQUESTED_METRICS_FOR_MANAGER', 'queryError', 400, 'INVALID_ARGUMENT', 'permission'],
  ['REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED', 'dateRangeError', 400, 'INVALID_ARGUMENT', 'config'],
  ['INVALID_DATE', 'dateRangeError', 400, 'INVALID_ARGUMENT', 'config'],
  ['DATE_TOO_OLD', 'clickViewError', 400, 'INVALID_ARGUMENT', 'permanent'],
  ['START_DATE_TOO_OLD', 'changeStatusError', 400, 'INVALID_ARGUMENT', 'permanent'],
  ['RPC_DEADLINE_TOO_SHORT', 'requestError', 504, 'DEADLINE_EXCEEDED', 'too_large'],
  ['EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION', 'quotaError', 429, 'RESOURCE_EXHAUSTED', 'too_large'],
  ['DATE_RANGE_TOO_WIDE', 'queryError', 400, 'INVALID_ARGUMENT', 'too_large'],
  ['TOO_MANY_SEGMENTS', 'queryError', 400, 'INVALID_ARGUMENT', 'too_large'],
  ['REQUEST_TOO_LARGE', 'databaseError', 400, 'INVALID_ARGUMENT', 'too_large'],
  ['RESOURCE_EXHAUSTED', 'quotaError', 429, 'RESOURCE_EXHAUSTED', 'throttled'],
  ['EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION', 'quotaError', 429, 'RESOURCE_EXHAUSTED', 'throttled'],
  // Whatever else a query or a request is refused for: nobody but its author can mend it.
  ['UNRECOGNIZED_FIELD', 'queryError', 400, 'INVALID_ARGUMENT', 'config'],
  ['EXPECTED_FILTERS_ON_DATE_RANGE', 'queryError', 400, 'INVALID_ARGUMENT', 'config'],
  ['PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE', 'queryError', 400, 'INVALID_ARGUMENT', 'config'],
  ['PAGE_SIZE_NOT_SUPPORTED', 'requestError', 400, 'INVALID_ARGUMENT', 'config'],
]
/** They pass in seconds, so that the request is repeated. */
export const passing: [code: string, family: string, status: number, name: string][] = [
  ['TRANSIENT_ERROR', 'internalError', 500, 'INTERNAL'],
  ['INTERNAL_ERROR', 'internalError', 500, 'INTERNAL'],
  ['DEADLINE_EXCEEDED', 'internalError', 504, 'DEADLINE_EXCEEDED'],
  ['CONCURRENT_MODIFICATION', 'databaseError', 409, 'ABORTED'],
  ['RESOURCE_TEMPORARILY_EXHAUSTED', 'quotaError', 429, 'RESOURCE_EXHAUSTED'],
]
/** What stands before the Ads API says so with a reason only. */
const front: [reason: string, status: number, name: string, Reason][] = [
  ['ACCESS_TOKEN_EXPIRED', 401, 'UNAUTHENTICATED', 'auth'],
  ['ACCESS_TOKEN_SCOPE_INSUFFICIENT', 403, 'PERMISSION_DENIED', 'auth'],
  ['SERVICE_DISABLED', 403, 'PERMISSION_DENIED', 'config'],
]

export const settings = { ...key, login_customer_id: '5555555555' }
export const refusals: readonly Refusal[] = [
  ...table.map(
    ([code, family, status, name, reason]) => [status, refusal(status, name, { family, code }), reason, 'Said by Google.'] as const,
  ),
  ...passing.map(
    ([code, family, status, name]) =>
      [status, refusal(status, name, { family, code }), status === 429 ? 'throttled' : 'transient'] as const,
  ),
  ...front.map(([said, status, name, reason]) => [status, early(status, name, said), reason] as const),
  [401, early(401, 'UNAUTHENTICATED'), 'auth', 'Authorize Weir again'],
  [429, early(429, 'RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'), 'throttled'],
  [404, early(404, 'NOT_FOUND'), 'config', 'base_url'],
]
