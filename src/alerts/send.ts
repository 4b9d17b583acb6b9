/** Sends one message to one target, once. Nothing is thrown for what a receiver does: the answer says it. */
import type { AlertMessage, ResolvedTarget } from '../core/alerts.js'
import { asFailure } from '../core/failure.js'
import { send as sendHttp } from '../http/wire.js'
import type { Answer } from './back-off.js'
import { type Envelope, mailOf, slackBody, webhookBody } from './formats.js'
import { sendMail } from './mail.js'

/** A receiver that has not answered by then is taken for dead. */
export const answerMs = 10_000
const limits = { totalMs: answerMs, silentMs: answerMs, maxBytes: 65_536 }
const shownOfBody = 200

export async function send(target: ResolvedTarget, message: AlertMessage, envelope: Envelope): Promise<Answer> {
  try {
    if (target.kind === 'email') return await sendMail(target, mailOf(message, envelope), envelope.id, answerMs)
    const body = target.kind === 'slack' ? slackBody(message, envelope) : webhookBody(message, envelope)
    return await post(target.url, body, envelope.id)
  } catch (error) {
    return { isDelivered: false, answer: asFailure(error).message }
  }
}

async function post(url: string, body: unknown, id: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'user-agent': 'weir', 'idempotency-key': id }
  const sent = await sendHttp('the receiver', { url: new URL(url), method: 'POST', headers, body: JSON.stringify(body) }, limits)
  const { status } = sent
  const said = sent.data.toString('utf8').replace(/\s+/g, ' ').trim().slice(0, shownOfBody)
  const answer = `HTTP ${status}${said === '' ? '' : `: ${said}`}`
  if (status >= 200 && status < 300) return { isDelivered: true, answer }
  const retryAfterMs = retryAfter(sent.headers['retry-after'])
  const mayPass = status >= 500 || [408, 425, 429].includes(status)
  return { isDelivered: false, answer, isRefused: !mayPass, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** Seconds; a date is rare here, and the back-off stands for it. */
const retryAfter = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined
