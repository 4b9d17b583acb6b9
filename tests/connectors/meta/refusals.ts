import type { Refusal } from '../refusals.js'

interface Body {
  message: string
  code: number
  error_subcode?: number
  is_transient?: boolean
  type?: string
  error_user_title?: string
  error_data?: unknown
}

/**
 * Bodies as Meta's error pages give them, or as open connectors recorded them; where neither has the text it is our own, since nothing
 * but code and subcode counts.
 */
export const body = (
  code: number,
  error_subcode?: number,
  message = `(#${code}) in Meta’s words`,
  more: Partial<Body> = {},
): { error: Body } => ({
  error: { message, type: 'OAuthException', code, ...(error_subcode === undefined ? {} : { error_subcode }), ...more },
})

export const refusals: readonly Refusal[] = [
  [400, body(190, 458, 'Error validating access token: The user has not authorized application 123.'), 'auth', 'app was removed'],
  [
    400,
    body(190, 459, 'Error validating access token: You cannot access the app till you log in to www.facebook.com'),
    'auth',
    'log in at facebook.com',
  ],
  [400, body(190, 464, 'Error validating access token: The user is not a confirmed user.'), 'auth', 'log in at facebook.com'],
  [
    400,
    body(190, 460, 'Error validating access token: The session has been invalidated because the user changed their password'),
    'auth',
    'password',
  ],
  [
    401,
    body(190, 463, 'Error validating access token: Session has expired on Thursday, 19-Nov-26 10:00:00 PST.'),
    'auth',
    'no refresh token',
  ],
  [400, body(190, 467, 'Error validating access token: the session is invalid'), 'auth', 'set access_token'],
  [400, body(190, 492), 'auth', 'set access_token'],
  [400, body(190, undefined, 'Invalid OAuth access token - Cannot parse access token'), 'auth', 'set access_token'],
  [400, body(102), 'auth', 'set access_token'],
  [
    400,
    body(2500, undefined, 'An active access token must be used to query information about the current user.'),
    'auth',
    'set access_token',
  ],
  [
    400,
    body(100, undefined, 'API calls from the server require an appsecret_proof argument', { type: 'GraphMethodException' }),
    'auth',
    'Set app_secret',
  ],
  [400, body(2, 1504041, '(#2) invalid breakdowns', { is_transient: true }), 'config', 'breakdowns'],
  [400, body(2, 1504042), 'config', 'custom metric'],
  [
    400,
    body(2635, undefined, '(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v26.0.'),
    'config',
    'api_version',
  ],
  [
    400,
    body(100, undefined, '(#100) The start date of the time range cannot be beyond 37 months from the current date'),
    'config',
    'later start',
  ],
  [500, body(100, undefined, 'The ids query parameter is deprecated in v26.0+'), 'config', 'upgrade'],
  [403, body(100, 3191001), 'permission', 'ads_read'],
  [400, body(100, undefined, '(#100) Missing permissions'), 'permission', 'ads_read'],
  [400, body(3), 'permission', 'ads_read'],
  [403, body(10, undefined, '(#10) Application does not have permission for this action'), 'permission', 'ads_read'],
  [403, body(200, undefined, '(#200) Ad account owner has NOT grant ads_management or ads_read permission'), 'permission', 'ads_read'],
  [
    400,
    body(294, undefined, '(#294) Managing advertisements requires an access token with the extended permission for ads_management'),
    'permission',
    'ads_read',
  ],
  [
    400,
    body(100, 33, "Unsupported get request. Object with ID 'act_1' does not exist, cannot be loaded due to missing permissions"),
    'permission',
    'removed, or is closed',
  ],
  [400, body(100, 2446289), 'permission', 'removed, or is closed'],
  [400, body(368, undefined, '(#368) The action attempted has been deemed abusive or is otherwise disallowed'), 'permission', 'policies'],
  [400, body(100, 1487534), 'too_large', ''],
  [400, body(-3, 1504045), 'too_large', ''],
  [400, body(100, 1504018), 'too_large', ''],
  [400, body(2, 1504038, 'Request timed out', { is_transient: true, error_user_title: 'Zeitüberschreitung' }), 'too_large', ''],
  [500, body(1, undefined, "Please reduce the amount of data you're asking for, then retry your request"), 'too_large', ''],
  [500, body(1, 99, 'An unknown error occurred'), 'too_large', ''],
  [400, body(4, 1504022, '(#4) Application request limit reached'), 'throttled', ''],
  [403, body(4, 1504039), 'throttled', ''],
  [400, body(17, 2446079, '(#17) User request limit reached', { is_transient: true }), 'throttled', ''],
  [400, body(17, 1885172), 'throttled', ''],
  [400, body(32, undefined, '(#32) Page request limit reached'), 'throttled', ''],
  [400, body(613, 1487742, '(#613) Calls to this api have exceeded the rate limit.'), 'throttled', ''],
  [400, body(613, 5044001), 'throttled', ''],
  [400, body(613), 'throttled', ''],
  ...Array.from(
    { length: 15 },
    (_, i) =>
      [400, body(80_000 + i, 2446079, `(#${80_000 + i}) There have been too many calls from this ad-account.`), 'throttled', ''] as const,
  ),
  [
    400,
    body(100, undefined, "(#100) Cannot include impressions in summary param because they weren't there while creating the report run."),
    'transient',
    '',
  ],
  [400, body(1, undefined, 'An unknown error occurred'), 'transient', ''],
  [400, body(2, undefined, 'Service temporarily unavailable', { is_transient: true }), 'transient', ''],
  [400, body(2, 1504043), 'transient', ''],
  [400, body(2, 1504044), 'transient', ''],
  [400, body(-2, 2490547, 'Report failed'), 'transient', ''],
  [400, body(104), 'transient', ''],
  [400, body(341, undefined, '(#341) Application limit reached'), 'transient', ''],
  [400, body(960, undefined, 'Batch request timed out'), 'transient', ''],
  [400, body(2601, undefined, '(#2601) Error accessing adreport job.'), 'transient', ''],
  [400, body(777_777, 1, 'something new', { is_transient: true }), 'transient', ''],
  [
    400,
    body(100, undefined, '(#100) Tried accessing nonexisting field (wish_bid) on node type (AdSet)', {
      error_data: '{"blame_field_specs":[["fields"]]}',
    }),
    'permanent',
    'field or parameter',
  ],
  [403, body(200, 1870050), 'permission', 'Custom Audience Terms'],
  [403, body(200, 1870090), 'permission', 'Custom Audience Terms'],
  [400, body(100, 1713230), 'config', 'flagged'],
  [400, body(2650, 1870144), 'config', 'as large as'],
  [400, body(2650, 1870159), 'permanent', ''],
  [400, body(2650, 1870145), 'transient', ''],
  // A permission each, as the pages list them by their range.
  ...Array.from(
    { length: 100 },
    (_, i) => [403, body(200 + i, undefined, `(#${200 + i}) Permissions error`), 'permission', 'ads_read'] as const,
  ),
]

export const settings = { access_token: 'EAAB', app_secret: 's3cret', ad_accounts: ['act_1'] }
