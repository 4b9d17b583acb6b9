import nodemailer from 'nodemailer'
import type { ResolvedTarget } from '../core/alerts.js'
import { Failure } from '../core/failure.js'
import type { Answer } from './back-off.js'

type MailTarget = Extract<ResolvedTarget, { kind: 'email' }>

/**
 * Hands one mail to a server. To another machine nothing is said before TLS is on. Servers that see a Message-ID twice may drop the second;
 * an attempt repeated after a lost answer is thus at most a copy.
 * @throws Failure `transient` beyond `totalMs`; what the server refuses is in the answer
 */
export async function sendMail(
  { smtp, from, to, isLocal }: MailTarget,
  mail: { subject: string; text: string },
  id: string,
  totalMs: number,
): Promise<Answer> {
  const url = new URL(smtp)
  const isTls = url.protocol === 'smtps:'
  const user = decodeURIComponent(url.username)
  const transport = nodemailer.createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (isTls ? 465 : 587),
    secure: isTls,
    requireTLS: !isTls && !isLocal,
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: totalMs,
    greetingTimeout: totalMs,
    socketTimeout: totalMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure('transient', `The mail server took longer than ${totalMs / 1000} s.`)), totalMs)
  })
  const sending = transport.sendMail({ from, to: [...to], ...mail, messageId: `<${id}@weir>`, headers: { 'Idempotency-Key': id } })
  sending.catch(() => undefined)
  try {
    const { response, rejected } = await Promise.race([sending, tooLate])
    return {
      isDelivered: true,
      answer: `${response}${rejected.length === 0 ? '' : `; ${rejected.length} of ${to.length} people were refused`}`,
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    const { message, responseCode = 0, code } = error as Error & { responseCode?: number; code?: string }
    return { isDelivered: false, answer: message, isRefused: responseCode >= 500 || code === 'EAUTH' }
  } finally {
    clearTimeout(timer)
    transport.close()
  }
}
