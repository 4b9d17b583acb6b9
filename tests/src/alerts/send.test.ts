import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { sendMail } from '../../../src/alerts/mail.js'
import { messageOf } from '../../../src/alerts/message.js'
import { send } from '../../../src/alerts/send.js'
import type { ResolvedTarget } from '../../../src/core/alerts.js'
import type { Condition } from '../../../src/warehouse/contract/alerts.js'
import { mailReceiver, type Reply, webhookReceiver } from './receivers.js'
import { now, watched, webhook } from './support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const conditions = (count: number, message = 'The key is revoked.'): Condition[] =>
  Array.from({ length: count }, (_, i) => ({
    stream: `s${i}`,
    kind: 'failed',
    severity: 'error',
    reason: 'auth',
    message,
    run: 'r1',
    since: now,
  }))
const message = messageOf(conditions(1), 'opened', watched(), now)
const envelope = { id: '5f8a2a5e-0000-4000-8000-000000000001', link: 'http://127.0.0.1:8233/namespaces/default/workflows?query=x' }

const receiver = async (...replies: Reply[]) => {
  const made = await webhookReceiver(replies)
  closing.push(made.close)
  return made
}
const to = (kind: 'webhook' | 'slack', url: string) => ({ ...webhook({ url }), kind }) as ResolvedTarget

describe('a webhook', () => {
  it('gets the message as JSON, with its id in body and header', async () => {
    const { url, received } = await receiver({ status: 202, body: 'accepted' })
    expect(await send(to('webhook', url), message, envelope)).toEqual({ isDelivered: true, answer: 'HTTP 202: accepted' })
    expect(received[0]!.headers).toMatchObject({ 'idempotency-key': envelope.id, 'content-type': 'application/json' })
    expect(received[0]!.body).toEqual({
      id: envelope.id,
      project: 'test',
      sync: 'shop',
      event: 'opened',
      kind: 'failed',
      severity: 'error',
      title: 'shop/s0 failed (auth)',
      reason: 'auth',
      items: [{ stream: 's0', message: 'The key is revoked.', since: now }],
      more: 0,
      acts: 'user: credentials',
      command: 'weir check fake',
      run: 'r1',
      at: now,
      link: envelope.link,
    })
  })

  it.each<[Reply, object]>([
    [500, { isRefused: false, answer: 'HTTP 500' }],
    [
      { status: 429, headers: { 'retry-after': '120' } },
      { isRefused: false, retryAfterMs: 120_000 },
    ],
    [
      { status: 404, body: 'no_service' },
      { isRefused: true, answer: 'HTTP 404: no_service' },
    ],
    [
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      { isRefused: true, answer: 'HTTP 302' },
    ],
    ['cut', { answer: expect.stringMatching(/^No answer from the receiver: /) }],
  ])('that answers %j is not reached', async (reply, expected) => {
    const { url } = await receiver(reply)
    const answer = await send(to('webhook', url), message, envelope)
    expect(answer).toMatchObject({ isDelivered: false, ...expected })
    expect(answer.answer).not.toContain('5ecret')
  })

  it('that nobody serves is not reached, either', async () => {
    const { url, close } = await webhookReceiver()
    await close()
    expect(await send(to('webhook', url), message, envelope)).toMatchObject({
      isDelivered: false,
      answer: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('that hangs is given up after ten seconds', async () => {
    const { url } = await receiver('hang')
    const answer = await send(to('webhook', url), message, envelope)
    expect(answer).toMatchObject({ isDelivered: false, answer: expect.stringMatching(/10 s|timeout of 10000ms/) })
  })
})

describe('Slack', () => {
  it('gets text and blocks, with its signs escaped', async () => {
    const { url, received } = await receiver()
    const odd = messageOf(conditions(1, 'a <b> & c'), 'opened', watched(), now)
    expect(await send(to('slack', url), odd, envelope)).toMatchObject({ isDelivered: true })
    const { text, blocks } = received[0]!.body as { text: string; blocks: { type: string; text?: { text: string } }[] }
    expect(text).toBe('shop/s0 failed (auth) [test]')
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'context'])
    expect(blocks[1]!.text!.text).toBe(`• s0: a &lt;b&gt; &amp; c (since ${now})`)
    expect(blocks[2]!.text!.text).toContain('*Next:* `weir check fake`')
  })

  it('stays within its bounds, however much there is to say', async () => {
    const { url, received } = await receiver()
    await send(to('slack', url), messageOf(conditions(500, '<'.repeat(2_000)), 'opened', watched({ sync: 'x'.repeat(200) }), now), envelope)
    const { blocks } = received[0]!.body as { blocks: { type: string; text?: { text: string } }[] }
    for (const { type, text } of blocks) if (text) expect(text.text.length).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000)
    expect(blocks[1]!.text!.text).toMatch(/… and 499 more$/)
  })
})

describe('mail', () => {
  const mailTo = (port: number, userinfo = '', more: object = { isLocal: true }) =>
    ({
      ...webhook(),
      kind: 'email',
      smtp: `smtp://${userinfo}127.0.0.1:${port}`,
      from: 'weir@example.com',
      to: ['ops@example.com', 'ana@example.com'],
      ...more,
    }) as ResolvedTarget
  const server = async (options: Parameters<typeof mailReceiver>[0] = {}) => {
    const made = await mailReceiver(options)
    closing.push(made.close)
    return made
  }

  it('goes to everybody in one conversation, with who it is from and its id', async () => {
    const { port, mails } = await server({ disabledCommands: ['STARTTLS'] })
    expect(await send(mailTo(port, 'weir:pa55word@'), message, envelope)).toMatchObject({
      isDelivered: true,
      answer: expect.stringMatching(/^250/),
    })
    expect(mails).toMatchObject([{ from: 'weir@example.com', to: ['ops@example.com', 'ana@example.com'], user: 'weir' }])
    expect(mails[0]!.text).toMatch(/^Subject: \[test\] error: shop\/s0 failed \(auth\)/m)
    expect(mails[0]!.text).toContain(`Message-ID: <${envelope.id}@weir>`)
    expect(mails[0]!.text).toContain('Next: weir check fake')
  })

  it('is told what the server says: of a wrong password, of people it does not know', async () => {
    const { port } = await server({
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _, done) =>
        address.startsWith('ana') ? done(Object.assign(new Error('unknown'), { responseCode: 550 })) : done(),
    })
    expect(await send(mailTo(port, 'weir:wrong@'), message, envelope)).toMatchObject({ isDelivered: false, isRefused: true })
    expect(await send(mailTo(port), message, envelope)).toMatchObject({
      isDelivered: true,
      answer: expect.stringMatching(/1 of 2 people were refused$/),
    })
  })

  it('is tried again where the server is busy', async () => {
    const { port } = await server({
      disabledCommands: ['STARTTLS'],
      onMailFrom: (_, __, done) => done(Object.assign(new Error('later'), { responseCode: 451 })),
    })
    expect(await send(mailTo(port), message, envelope)).toMatchObject({ isDelivered: false, isRefused: false })
  })

  it('says nothing to another machine before TLS is on', async () => {
    const { port, mails } = await server({ disabledCommands: ['STARTTLS'] })
    expect(await send(mailTo(port, 'weir:pa55word@', {}), message, envelope)).toMatchObject({ isDelivered: false })
    expect(mails).toEqual([])
  })

  it('waits for a server that is silent no longer than it is told to', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => silent.close(() => resolve())))
    const { port } = silent.address() as { port: number }
    const sending = sendMail(mailTo(port) as Parameters<typeof sendMail>[0], { subject: 's', text: 't' }, envelope.id, 300)
    const answer = await sending.catch((error: Error) => ({ isDelivered: false, answer: error.message }))
    expect(answer).toMatchObject({
      isDelivered: false,
      answer: expect.stringMatching(/took longer than 0.3 s|timeout|Greeting never received/i),
    })
  })
})
