/** Klaviyo's JSON:API errors. `status` is a number in them, and `source` names a parameter or points into the body. */
import { Refused, type Reply } from '../kit/http.js'

export interface Complaint {
  code: string
  title: string
  detail: string
  source?: { parameter: string } | { pointer: string }
  meta?: Record<string, unknown>
}

export const contentType = 'application/vnd.api+json'

let lastError = 0

export function refusal(status: number, ...complaints: Complaint[]): Reply {
  const errors = complaints.map(({ code, title, detail, source, meta }) => ({
    id: `5f0c9b7e-0000-4000-8000-${(++lastError).toString(16).padStart(12, '0')}`,
    status,
    code,
    title,
    detail,
    source: source ?? { pointer: '/data/' },
    links: {},
    meta: meta ?? {},
  }))
  return { status, body: { errors }, contentType }
}

export const invalid = (detail: string, source?: Complaint['source']): Complaint => ({
  code: 'invalid',
  title: 'Invalid input.',
  detail,
  ...(source === undefined ? {} : { source }),
})

export const refuseParameter = (parameter: string, detail: string): Refused => new Refused(refusal(400, invalid(detail, { parameter })))

export const notFound = (what: string, id: string): Refused =>
  new Refused(refusal(404, { code: 'not_found', title: 'Not found.', detail: `A ${what} with id ${id} does not exist.` }))

const wording: Record<number, [code: string, title: string]> = {
  400: ['invalid', 'Invalid input.'],
  401: ['authentication_failed', 'Incorrect authentication credentials.'],
  403: ['permission_denied', 'You do not have permission to perform this action.'],
  404: ['not_found', 'Not found.'],
  405: ['method_not_allowed', 'Method not allowed.'],
  410: ['gone', 'Gone.'],
  429: ['throttled', 'Request was throttled.'],
  503: ['service_unavailable', 'Service unavailable.'],
}

export function plainRefusal(status: number, detail?: string): Reply {
  const [code, title] = wording[status] ?? ['error', 'A server error occurred.']
  return refusal(status, { code, title, detail: detail ?? title })
}

export function throttled(retryAfter: string | null): Reply {
  const reply = plainRefusal(429, `Request was throttled. Expected available in ${retryAfter ?? 0} second${retryAfter === '1' ? '' : 's'}.`)
  return retryAfter === null ? reply : { ...reply, headers: { 'retry-after': retryAfter } }
}
