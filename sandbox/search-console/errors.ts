/** Refusals as Google's older APIs word them. */
import { Refused, type Reply } from '../kit/http.js'

const words: Record<number, readonly [reason: string, domain: string, message: string]> = {
  400: ['badRequest', 'global', 'Bad Request'],
  401: ['authError', 'global', 'Invalid Credentials'],
  404: ['notFound', 'global', 'Not Found'],
  429: ['rateLimitExceeded', 'usageLimits', 'Rate Limit Exceeded'],
  500: ['backendError', 'global', 'Backend Error'],
  503: ['backendError', 'global', 'Backend Error'],
}

export function refusal(code: number, said: { reason?: string; domain?: string; message?: string } = {}): Reply {
  const [reason, domain, message] = words[code] ?? ['unknown', 'global', 'Error']
  const error = { message, domain, reason, ...said }
  return { status: code, body: { error: { code, message: error.message, errors: [error] } } }
}

export const refuse = (...said: Parameters<typeof refusal>) => new Refused(refusal(...said))

/** Every exceeded quota is refused with the same words. */
export const quotaExceeded = () => refuse(403, { reason: 'quotaExceeded', domain: 'usageLimits', message: 'Quota Exceeded' })

export const closed = (site: string) =>
  refuse(403, {
    reason: 'forbidden',
    message: `User does not have sufficient permission for site '${site}'. See also: https://support.google.com/webmasters/answer/2451999.`,
  })
