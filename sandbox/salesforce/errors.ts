/** Salesforce's refusals: an array of errors on every data resource, an object with the RFC's words at the token endpoint. */
import { Refused, type Reply } from '../kit/http.js'

export const jsonType = 'application/json;charset=UTF-8'

export const refusal = (status: number, errorCode: string, message: string, fields?: string[]): Reply => ({
  status,
  body: [{ message, errorCode, ...(fields === undefined ? {} : { fields }) }],
  contentType: jsonType,
})

export const refuse = (status: number, errorCode: string, message: string): Refused => new Refused(refusal(status, errorCode, message))

export const badSession = (): Reply => refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
export const notFound = (): Refused => refuse(404, 'NOT_FOUND', 'The requested resource does not exist')

/** Throttling is a 403 without a Retry-After; which limit it is, only the text says. */
export const overLimit = (which: 'day' | 'concurrent', retryAfter: string | null = null): Reply => ({
  ...refusal(
    403,
    'REQUEST_LIMIT_EXCEEDED',
    which === 'day' ? 'TotalRequests Limit exceeded.' : 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
  ),
  ...(retryAfter === null ? {} : { headers: { 'retry-after': retryAfter } }),
})

export const oauthRefusal = (error: string, error_description: string, status = 400): Reply => ({
  status,
  body: { error, error_description },
  contentType: jsonType,
})

const words: Record<number, [string, string]> = {
  400: ['MALFORMED_QUERY', 'unexpected token'],
  403: ['INSUFFICIENT_ACCESS', 'insufficient access rights on object'],
  404: ['NOT_FOUND', 'The requested resource does not exist'],
  405: ['METHOD_NOT_ALLOWED', 'HTTP Method not allowed. Allowed are HEAD,GET,POST'],
  410: ['UNSUPPORTED_API_VERSION', 'This API version is retired'],
  500: ['UNKNOWN_EXCEPTION', 'An unexpected error occurred. Please include this ErrorId if you contact support: 1234-5678 (-123)'],
  503: ['SERVER_UNAVAILABLE', 'Server is temporarily unavailable. Please retry later.'],
}

export function plainRefusal(status: number): Reply {
  const [code, message] = words[status] ?? ['UNKNOWN_EXCEPTION', 'An unexpected error occurred.']
  return refusal(status, code, message)
}
