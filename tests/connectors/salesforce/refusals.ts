import type { Refusal } from '../refusals.js'

export const settings = { access_token: '00D!AQ', instance_url: 'https://acme.my.salesforce.com' }
export const origin = settings.instance_url

const quota = (message: string) => [{ message, errorCode: 'REQUEST_LIMIT_EXCEEDED' }]

/** Bodies as in Salesforce's REST and Bulk 2.0 guides and its list of status codes, read 2026-11-23; where none is shown the text is our own. */
export const refusals: readonly Refusal[] = [
  [401, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }], 'auth', 'Authorize Weir again'],
  [
    401,
    [{ message: 'This session is not valid for use with the REST API', errorCode: 'INVALID_SESSION_ID' }],
    'auth',
    'Authorize Weir again',
  ],
  [403, [{ message: 'The REST API is not enabled for this Organization.', errorCode: 'API_DISABLED_FOR_ORG' }], 'config', 'API Enabled'],
  [403, [{ message: 'API is currently disabled', errorCode: 'API_CURRENTLY_DISABLED' }], 'config', 'administrator'],
  [403, [{ message: 'insufficient access rights on object', errorCode: 'INSUFFICIENT_ACCESS' }], 'permission', 'administrator'],
  [403, [{ message: 'expired', errorCode: 'INVALID_OPERATION_WITH_EXPIRED_PASSWORD' }], 'auth', 'password'],
  [403, [{ message: 'no', errorCode: 'TXN_SECURITY_METERING_ERROR' }], 'config', 'policy'],
  [400, [{ message: "sObject type 'X__c' is not supported.", errorCode: 'INVALID_TYPE' }], 'permission', 'gone or closed'],
  [404, [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }], 'permission', 'leave it out'],
  [400, [{ message: "unexpected token: '*'", errorCode: 'MALFORMED_QUERY' }], 'permanent', 'unexpected token'],
  [400, [{ message: 'too complicated', errorCode: 'QUERY_TOO_COMPLICATED' }], 'config', 'formula'],
  [400, [{ message: 'Your query request was running for too long.', errorCode: 'QUERY_TIMEOUT' }], 'too_large', 'too long'],
  [400, [{ message: "exceeded 100000 distinct who/what's", errorCode: 'OPERATION_TOO_LARGE' }], 'too_large', 'View All Data'],
  [400, [{ message: 'too many', errorCode: 'EXCEEDED_ID_LIMIT' }], 'too_large', '600,000'],
  [400, [{ message: 'invalid query locator', errorCode: 'INVALID_QUERY_LOCATOR' }], 'expired_cursor', 'two days'],
  [400, [{ errorCode: 'InvalidUser', message: 'job of another user' }], 'config', 'another user'],
  [400, [{ errorCode: 'INVALID_JOB_STATE', message: 'Aborting already Completed Job not allowed' }], 'transient', 'state'],
  [400, [{ errorCode: 'InvalidVersion', message: 'gone' }], 'config', 'api_version'],
  [409, [{ errorCode: 'INVALIDJOBSTATE', message: 'version' }], 'transient', 'version'],
  [410, [{ errorCode: 'UNSUPPORTED_API_VERSION', message: 'retired' }], 'config', 'api_version'],
  [431, [{ errorCode: 'X', message: 'long' }], 'config', 'longer'],
  [400, [{ message: "No such column 'Wish__c' on entity 'Contact'.", errorCode: 'INVALID_FIELD' }], 'permission', 'gone or hidden'],
  [400, [{ errorCode: 'Timeout', message: 'Batch timed out' }], 'too_large'],
  [400, [{ errorCode: 'TooManyLockFailure', message: 'too many lock failures' }], 'too_large'],
  [400, [{ errorCode: 'API_ERROR', message: 'Implementation restriction: needs View All Data' }], 'permission', 'View All Data'],
  [400, [{ errorCode: 'ExceededQuota', message: 'bulk quota' }], 'throttled', 'bulk quota'],
  [403, quota('ConcurrentRequests (Concurrent API Requests) Limit exceeded.'), 'throttled', 'at once'],
  [403, quota('TotalRequests Limit exceeded.'), 'throttled', 'last 24 hours'],
  [403, [{ errorCode: 'EXCEEDEDQUOTA', message: 'bulk quota' }], 'throttled', 'bulk quota'],
  [403, [{ errorCode: 'InvalidUser', message: 'job of another user' }], 'config', 'another user'],
  [406, [{ errorCode: 'X', message: 'Not Acceptable' }], 'transient'],
  [420, [{ errorCode: 'X', message: 'calm' }], 'transient', 'edge'],
]
