/** Graph's error envelope. `type` is OAuthException for nearly everything; clients must look at code and subcode. */
import { Refused, type Reply } from '../kit/http.js'

let last = 0
const trace = () => `A${(++last).toString(36).padStart(10, '0')}Sbx`

export interface GraphError {
  code: number
  subcode?: number
  message: string
  status?: number
  title?: string
  type?: string
  transient?: boolean
  headers?: Record<string, string>
  data?: unknown
}

export function graphError({
  code,
  subcode,
  message,
  status = 400,
  title,
  type = 'OAuthException',
  transient,
  headers,
  data,
}: GraphError): Reply {
  const error = {
    message,
    type,
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    ...(transient === undefined ? {} : { is_transient: transient }),
    // Titles come in the language of whoever owns the token.
    ...(title === undefined ? {} : { error_user_title: title, error_user_msg: message }),
    ...(data === undefined ? {} : { error_data: data }),
    fbtrace_id: trace(),
  }
  return { status, body: { error }, ...(headers ? { headers } : {}) }
}

export const refuse = (error: GraphError): Refused => new Refused(graphError(error))

export const invalidParameter = (message: string, more: Partial<GraphError> = {}): Refused =>
  refuse({ code: 100, message: `(#100) ${message}`, ...more })

export const unknownNode = (id: string): Refused =>
  refuse({
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message: `Unsupported get request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api`,
  })

export const sessionExpired = (): Refused =>
  refuse({
    code: 190,
    subcode: 463,
    message: 'Error validating access token: Session has expired on Thursday, 19-Nov-26 10:00:00 PST.',
    status: 401,
  })

export const reduceData = (): Refused =>
  refuse({ code: 1, status: 500, message: "Please reduce the amount of data you're asking for, then retry your request" })

export const tooLarge = (): Refused =>
  refuse({ code: 2, subcode: 1504038, message: 'Request timed out', title: 'Zeitüberschreitung der Anforderung', transient: true })
