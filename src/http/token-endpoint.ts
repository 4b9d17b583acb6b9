import { Failure } from '../core/failure.js'
import type { StoredToken } from '../core/ports.js'
import { read } from './answers.js'
import type { Auth } from './api.js'
import type { Sending, Sent } from './wire.js'

export type OAuth = Extract<Auth, { kind: 'oauth' }>
/** Sends a form, past the client's time-outs; redirects are not followed. */
export type SendForm = (
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
) => Promise<{ status: number; body: unknown }>

/** @param send sends a whole request, with the time-outs of whoever gives it */
export const formSender =
  (send: (sending: Sending) => Promise<Sent>): SendForm =>
  async (url, form, headers) => {
    const formed = { ...headers, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
    const sent = await send({ url: new URL(url), method: 'POST', headers: formed, body: new URLSearchParams(form).toString() })
    return { status: sent.status, body: read(sent) }
  }

export type TokenAnswer = Readonly<Record<string, unknown>> & { access_token: string }

export interface Asking {
  connection: string
  send: SendForm
  /** What a person is told when the vendor refuses. @param said status, and the vendor's code where it is one word */
  refused: (said: string) => string
}

/**
 * Asks the vendor's token endpoint.
 * @throws Failure `auth` when it refuses, `transient` when it is down, `config` when it points elsewhere
 */
export async function askToken(auth: OAuth, form: Readonly<Record<string, string>>, asking: Asking): Promise<TokenAnswer> {
  const { connection, send, refused } = asking
  const client = `${auth.clientId}:${auth.clientSecret}`
  const headers: Record<string, string> = auth.basic ? { authorization: `Basic ${Buffer.from(client).toString('base64')}` } : {}
  const { status, body } = await send(auth.tokenUrl, form, headers)
  if (status >= 300 && status < 400)
    throw new Failure(
      'config',
      `The token endpoint of connection ${connection} points elsewhere (${status}): credentials do not go there.`,
      { connection, status },
    )
  // Nor does what comes from something in between say anything of the token.
  const isForeign = body === undefined && status !== 400 && status !== 401
  if (status >= 500 || status === 429 || isForeign)
    throw new Failure('transient', `The token endpoint answered ${status}.`, { connection, status })
  const answer = (body ?? {}) as Readonly<Record<string, unknown>>
  if (status < 400 && typeof answer.access_token === 'string') return answer as TokenAnswer
  const code = typeof answer.error === 'string' && /^\w{1,60}$/.test(answer.error) ? answer.error : undefined
  throw new Failure('auth', refused(`${status}${code ? ` ${code}` : ''}`), { connection, status, ...(code ? { code } : {}) })
}

/** The client's part of a form, where it does not stand in a header. */
export const clientForm = (auth: OAuth): Record<string, string> =>
  auth.basic ? {} : { client_id: auth.clientId, client_secret: auth.clientSecret }

/** A token is refreshed at this share of its life. */
const early = 0.8

/** What is kept of an answer. @param refreshToken the one that was used; whatever comes back takes its place, since some vendors rotate it */
export function tokenOf(
  answer: TokenAnswer,
  auth: OAuth,
  now: Date,
  refreshToken: string | undefined,
): Omit<StoredToken, 'origin' | 'since' | 'consentedTo'> {
  const seconds = Number(answer.expires_in)
  const next = typeof answer.refresh_token === 'string' ? answer.refresh_token : refreshToken
  const apiUrl = auth.originField === undefined ? undefined : answer[auth.originField]
  return {
    accessToken: answer.access_token,
    ...(next === undefined ? {} : { refreshToken: next }),
    expiresAt: new Date(now.getTime() + (seconds > 0 && seconds < 1e9 ? seconds : 1800) * 1000 * early).toISOString(),
    ...(typeof apiUrl === 'string' ? { apiUrl } : {}),
  }
}
