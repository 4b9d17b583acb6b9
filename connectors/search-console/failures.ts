import type { FailureLine } from '../../src/http/api.js'

const authorize = 'Authorize Weir again with a user who sees the properties. A consent screen in "Testing" ends tokens after seven days.'
const scope = 'The token lacks the scope https://www.googleapis.com/auth/webmasters.readonly.'
const enable = 'Enable the Google Search Console API in the Cloud project of the credential.'
const grant = 'An owner of the property must add this user to it (Settings, Users and permissions), or leave it out: sites.'
const load = 'Google counts what queries cost: ask for fewer days, or for page and query apart.'

/** Google's reasons, as its older APIs word them and (in capitals) its newer layer before them. Codes: see README.md. */
export const failures: readonly FailureLine[] = [
  { status: 401, reason: 'auth', hint: authorize },
  { status: 403, code: 'insufficientPermissions', reason: 'auth', hint: scope },
  { status: 403, code: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', reason: 'auth', hint: scope },
  { status: 403, code: 'accessNotConfigured', reason: 'config', hint: enable },
  { status: 403, code: 'SERVICE_DISABLED', reason: 'config', hint: enable },
  { code: 'quotaExceeded', reason: 'throttled', hint: load },
  { status: 403, code: 'rateLimitExceeded', reason: 'throttled', hint: 'Too many requests at once.' },
  { status: 403, code: 'userRateLimitExceeded', reason: 'throttled', hint: 'Too many requests of this user at once.' },
  { status: 403, code: 'forbidden', reason: 'permission', hint: grant },
  { status: 404, reason: 'permission', hint: `Search Console knows no such property, or no longer. ${grant}` },
]
