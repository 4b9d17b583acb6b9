/** HubSpot's error envelope, and the three other shapes: missing scopes, rate limits, wrong tokens. */
import { Refused, type Reply } from '../kit/http.js'

let last = 0
const correlation = () => `0190aaaa-bbbb-7ccc-8ddd-${(++last).toString(16).padStart(12, '0')}`

export function refusal(status: number, category: string, message: string, more: Record<string, unknown> = {}): Reply {
  return { status, body: { status: 'error', message, correlationId: correlation(), category, ...more } }
}

export const invalid = (message: string, more: Record<string, unknown> = {}): Refused =>
  new Refused(refusal(400, 'VALIDATION_ERROR', message, more))

export const notFound = (message = 'resource not found'): Refused => new Refused(refusal(404, 'OBJECT_NOT_FOUND', message))

export const missingScopes = (scopes: readonly string[]): Reply =>
  refusal(
    403,
    'MISSING_SCOPES',
    "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
    {
      errors: [{ message: 'One or more of the following scopes are required.', context: { requiredGranularScopes: [...scopes] } }],
      links: { scopes: 'https://developers.hubspot.com/scopes' },
    },
  )

export const badToken = (): Reply =>
  refusal(
    401,
    'INVALID_AUTHENTICATION',
    'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview',
  )

export function expiredToken(secondsAgo: number): Reply {
  const expired = new Date(Date.now() - secondsAgo * 1000).toISOString()
  return refusal(401, 'EXPIRED_AUTHENTICATION', `The OAuth token used to make this call expired ${secondsAgo} second(s) ago.`, {
    context: { 'expire time': [expired] },
  })
}

export type Policy = 'TEN_SECONDLY_ROLLING' | 'SECONDLY' | 'DAILY'

/** Word for word: the vendor's SDK decides by message and policy how long it waits. */
const messages: Record<Policy, string> = {
  TEN_SECONDLY_ROLLING: 'You have reached your ten_secondly_rolling limit.',
  SECONDLY: 'You have reached your secondly limit.',
  DAILY: 'You have reached your daily limit.',
}

/** 429 differs from all other errors: `errorType` stands where `category` would. Search leaves the policy's name out. */
export function throttled(policy: Policy, named: boolean, retryAfter: string | null): Reply {
  const body = { status: 'error', message: messages[policy], errorType: 'RATE_LIMIT', correlationId: correlation() }
  const name = named
    ? { policyName: policy, groupName: `publicapi:private_app-api-calls-${policy.toLowerCase()}:1001:999`, requestId: correlation() }
    : {}
  return { status: 429, body: { ...body, ...name }, ...(retryAfter === null ? {} : { headers: { 'retry-after': retryAfter } }) }
}

export function plainRefusal(status: number): Reply {
  const words: Record<number, [string, string]> = {
    400: ['BAD_REQUEST', 'Bad request.'],
    404: ['OBJECT_NOT_FOUND', 'resource not found'],
    405: ['METHOD_NOT_ALLOWED', 'Method not allowed.'],
    414: ['URI_TOO_LONG', 'URI Too Long'],
    423: ['LOCKED', 'The resource is locked.'],
    477: ['MIGRATION_IN_PROGRESS', 'This hub is currently being migrated between data hosting locations.'],
  }
  const [category, message] = words[status] ?? ['INTERNAL_ERROR', 'internal error']
  return refusal(status, category, message)
}
