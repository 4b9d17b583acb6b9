/** Refusals of the Data Manager API: a google.rpc status, a reason, and the fields that are meant. */
import { Refused, type Reply } from '../kit/http.js'
import { statuses } from './errors.js'

const domain = 'datamanager.googleapis.com'

export interface Violation {
  /** Snake case, the list named twice: `audience_members.audience_members[0].user_data`. */
  field: string
  reason: string
  description?: string
}

export function rpcError(
  status: number,
  message: string,
  reason?: string,
  metadata?: Record<string, string>,
  violations: Violation[] = [],
): Reply {
  const details = [
    ...(reason === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain, ...(metadata === undefined ? {} : { metadata }) }]),
    ...(violations.length === 0 ? [] : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations }]),
  ]
  return {
    status,
    body: { error: { code: status, message, status: statuses[status] ?? 'UNKNOWN', ...(details.length === 0 ? {} : { details }) } },
  }
}

/** The whole request is refused, whatever was right in it. */
export const violated = (...violations: Violation[]): Refused =>
  new Refused(rpcError(400, 'There was a problem with the request.', 'INVALID_ARGUMENT', undefined, violations))

export const denied = (): Refused => new Refused(rpcError(403, 'The caller does not have permission', 'PERMISSION_DENIED'))
export const notFound = (): Refused => new Refused(rpcError(404, 'Requested entity was not found.', 'NOT_FOUND'))
