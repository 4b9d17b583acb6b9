import type { Refusal } from '../refusals.js'
import { key, refusal } from './wire.js'

export const settings = key

/** As the layer before Google's newer APIs words it. */
const early = (code: number, status: string, reason: string) => ({
  error: {
    code,
    message: 'Said by Google.',
    status,
    details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }],
  },
})

/** `forbidden` and `quotaExceeded` as users of the API have reported them; the others as Google's APIs have them in general. */
export const refusals: readonly Refusal[] = [
  [401, refusal(401, 'authError', 'Invalid Credentials'), 'auth', 'Authorize Weir again'],
  [403, refusal(403, 'insufficientPermissions', 'Insufficient Permission'), 'auth', 'webmasters.readonly'],
  [403, early(403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'), 'auth', 'webmasters.readonly'],
  [403, refusal(403, 'accessNotConfigured', 'Access Not Configured.', 'usageLimits'), 'config', 'Enable'],
  [403, early(403, 'PERMISSION_DENIED', 'SERVICE_DISABLED'), 'config', 'Enable'],
  [403, refusal(403, 'quotaExceeded', 'Quota Exceeded', 'usageLimits'), 'throttled', 'fewer days'],
  [429, refusal(429, 'quotaExceeded', 'Quota Exceeded', 'usageLimits'), 'throttled', 'fewer days'],
  [403, refusal(403, 'rateLimitExceeded', 'Rate Limit Exceeded', 'usageLimits'), 'throttled', 'at once'],
  [403, refusal(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded', 'usageLimits'), 'throttled', 'this user'],
  [429, refusal(429, 'rateLimitExceeded', 'Rate Limit Exceeded', 'usageLimits'), 'throttled'],
  [
    403,
    refusal(403, 'forbidden', "User does not have sufficient permission for site 'https://www.example.com/'."),
    'permission',
    'An owner of the property',
  ],
  [404, refusal(404, 'notFound', 'Not Found'), 'permission', 'no longer'],
  [400, refusal(400, 'invalidParameter', 'Invalid value'), 'permanent', 'Invalid value'],
  [503, refusal(503, 'backendError', 'Backend Error'), 'transient'],
]
