import { Failure, type Reason } from '../core/failure.js'
import type { Api, FailureLine } from './api.js'

/** What a status means at any vendor; a vendor's own lines come first. */
function reasonOf(status: number): Reason {
  if (status === 401) return 'auth'
  if (status === 403) return 'permission'
  if (status === 408 || status === 425 || status >= 500) return 'transient'
  if (status === 413 || status === 414) return 'too_large'
  if (status === 429) return 'throttled'
  return 'permanent'
}

/** Refusals that say enough by their status alone, whoever words them. */
const plain: ReadonlySet<number> = new Set([401, 410, 413, 414, 423, 429, 477])

export interface Answer {
  status: number
  headers: Readonly<Record<string, string>>
  /** Parsed where it was JSON, else undefined. */
  body: unknown
}

/** The line of the vendor's table that counts for an answer. */
export function lineOf(api: Api, { status, body }: Pick<Answer, 'status' | 'body'>): FailureLine | undefined {
  const code = body === undefined ? undefined : api.errorCode(body)
  return api.failures.find((one) => (one.status ?? status) === status && isPartOf(code, one.code))
}

/** An answer that is no success, as a Failure: what was asked, what came back, what to do. Of the body only the vendor's own sentence, without addresses. */
export function classify(api: Api, connection: string, asked: string, answer: Answer): Failure {
  const { status, body } = answer
  const code = body === undefined ? undefined : api.errorCode(body)
  const line = lineOf(api, answer)
  // A refusal that is not the vendor's JSON comes from something in between: it may pass.
  const isForeign = body === undefined && status < 500 && !plain.has(status)
  const reason = isForeign ? 'transient' : (line?.reason ?? reasonOf(status))
  const said = body === undefined ? undefined : api.errorMessage(body)
  const message = [
    `${api.name} answered ${asked} with ${status}${code ? ` ${code}` : ''}${said ? `: ${masked(said.slice(0, 500))}` : '.'}`,
    isForeign ? 'The answer was not the vendor’s own.' : line?.hint,
  ]
    .filter(Boolean)
    .join(' ')
  return new Failure(reason, message, { connection, status, ...(code === undefined ? {} : { code }) })
}

const isPartOf = (code: string | undefined, part: string | undefined) =>
  part === undefined || code === part || (code?.startsWith(`${part}/`) ?? false)

/** Without addresses and phone numbers: vendors quote what they were sent. */
export const masked = (text: string) => text.replace(/[^\s"'<>(),:;]+@[^\s"'<>(),:;]+/g, '…@…').replace(/\+\d{7,}/g, '+…')

/** The three forms of an HTTP date, and ISO with its zone. Date.parse alone takes nearly any word with a number for one. */
const httpDate = /^[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT$/
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}$/
const iso = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)$/
/** More than a year is a slip of theirs, and beyond what an instant holds at worst. */
const longestMs = 366 * 86_400_000

/** Retry-After: seconds or an HTTP date; undefined where it is absent or makes no sense. */
export function retryAfterMs(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), longestMs)
  const at = httpDate.test(text) || iso.test(text) ? Date.parse(text) : asctime.test(text) ? Date.parse(`${text} GMT`) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - now.getTime()), longestMs)
}
