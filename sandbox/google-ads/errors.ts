/** Google's refusals: a google.rpc status around the codes of the Ads API, or bare where the layer before it refuses. */
import type { Reply } from '../kit/http.js'

/** Of google.rpc, as all of Google's APIs name them. */
export const statuses: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}
const messages: Record<number, string> = {
  400: 'Request contains an invalid argument.',
  401: 'Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
  403: 'The caller does not have permission',
  404: 'Requested entity was not found.',
  429: 'Resource has been exhausted (e.g. check quota).',
  500: 'Internal error encountered.',
  503: 'The service is currently unavailable.',
}
/** Each family of codes has its status. */
const families: Record<string, number> = {
  authenticationError: 401,
  authorizationError: 403,
  quotaError: 429,
  internalError: 500,
}

let requests = 0

export interface Complaint {
  /** The family, such as `queryError`, and the code in it. */
  family: string
  code: string
  message: string
  details?: object
}

/** The body of a refusal with the Ads API's own codes. */
export function failure(version: string, ...complaints: Complaint[]): Reply {
  const status = families[complaints[0]?.family ?? ''] ?? 400
  const requestId = `sandbox${(++requests).toString(36)}`
  return {
    status,
    headers: { 'request-id': requestId },
    body: {
      error: {
        code: status,
        message: messages[status] ?? 'Error.',
        status: statuses[status],
        details: [
          {
            '@type': `type.googleapis.com/google.ads.googleads.${version}.errors.GoogleAdsFailure`,
            errors: complaints.map(({ family, code, message, details }) => ({
              errorCode: { [family]: code },
              message,
              ...(details === undefined ? {} : { details }),
            })),
            requestId,
          },
        ],
      },
    },
  }
}

/** What stands before the Ads API says no: a status, and at times a reason. */
export function plain(status: number, info?: { reason: string; metadata?: Record<string, string> }): Reply {
  const details = info && [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: info.reason, domain: 'googleapis.com', metadata: info.metadata ?? {} },
  ]
  return {
    status,
    body: {
      error: {
        code: status,
        message: messages[status] ?? 'Error.',
        status: statuses[status] ?? 'UNKNOWN',
        ...(details ? { details } : {}),
      },
    },
  }
}

export const expiredToken = () => plain(401, { reason: 'ACCESS_TOKEN_EXPIRED', metadata: { service: 'googleads.googleapis.com' } })

/** Too many requests for now. Without a delay the caller is left to guess. */
export function throttled(version: string, delay: string | null): Reply {
  return failure(version, {
    family: 'quotaError',
    code: 'RESOURCE_TEMPORARILY_EXHAUSTED',
    message: `Too many requests.${delay === null ? '' : ` Retry in ${delay}.`}`,
    details: {
      quotaErrorDetails: { rateScope: 'ACCOUNT', rateName: 'Requests per account', ...(delay === null ? {} : { retryDelay: delay }) },
    },
  })
}

/** A request that is refused while it is being understood. */
export class Refused extends Error {
  constructor(readonly complaint: Complaint) {
    super(complaint.message)
  }
}

export const queryError = (code: string, message: string) => new Refused({ family: 'queryError', code, message })
export const refused = (family: string, code: string, message: string) => new Refused({ family, code, message })
