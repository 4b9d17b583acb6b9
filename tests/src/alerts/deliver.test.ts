import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { deliver, sendTest } from '../../../src/alerts/deliver.js'
import { look } from '../../../src/alerts/look.js'
import type { AlertTarget } from '../../../src/core/alerts.js'
import { noCounts } from '../../../src/core/receipt.js'
import { createRedact } from '../../../src/observe/redact.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { resolveTarget } from '../../../worker/alert-target.js'
import { systemClock } from '../../../worker/deps.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { type Opened, openedDatabase } from '../../support/postgres.js'
import { mailReceiver, type Reply, webhookReceiver } from './receivers.js'
import { webhook } from './support.js'

const logged: unknown[] = []
const write = (text: string, fields?: unknown) => logged.push(text, fields)
const log = { debug: write, info: write, warn: write, error: write }

describe('the outbox and its receivers', () => {
  let base: Opened
  const env: Record<string, string> = {}
  const secrets = new Set<string>()
  const redact = createRedact(() => secrets)
  const resolve = (target: AlertTarget) => resolveTarget(target, { env, baseDir: '/nowhere' }, (secret) => secrets.add(secret))
  const input = (warehouse = base.warehouse) => ({
    warehouse,
    clock: systemClock,
    log,
    redact,
    resolve,
    linkOf: (run: string) => `http://ui/${run}`,
  })
  const closing: (() => Promise<void>)[] = []

  beforeAll(async () => {
    base = await openedDatabase(inject('postgresUrl'))
  })
  afterAll(() => base.close())
  beforeEach(async () => {
    await base.db.query('TRUNCATE _weir.alerts, _weir.alert_deliveries, _weir.runs, _weir.stream_runs, _weir.definitions CASCADE')
    logged.length = 0
  })
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  const receiver = async (...replies: Reply[]) => {
    const made = await webhookReceiver(replies)
    closing.push(made.close)
    return made
  }
  /** A run that failed, looked at; its messages wait. */
  const failing = async (alerts: AlertTarget[], message = 'it failed') => {
    await base.warehouse.definitions.put('hash', fakeDefinition({ sync: 'shop', streams: { people: {} }, alerts }))
    await base.warehouse.runs.start({ run: 'r1', sync: 'shop', definition: 'hash', kind: 'manual' })
    await base.warehouse.runs.finish('r1', 'failed', noCounts(), { reason: 'auth', message })
    await look({ warehouse: base.warehouse, log, redact })
  }
  const later = () => base.db.query('UPDATE _weir.alert_deliveries SET next_attempt_at = now()')

  it('try again until the receiver has recovered, under one id', async () => {
    const { url, received } = await receiver(500, 'cut', { status: 429, headers: { 'retry-after': '600' } })
    env.HOOK = url
    await failing([webhook()])
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await deliver(input())).toEqual({ delivered: 0, failed: 1, givenUp: 0 })
      expect(await deliver(input())).toEqual({ delivered: 0, failed: 0, givenUp: 0 }) // not before its time
      const [row] = await base.warehouse.alerts.deliveries({ limit: 1 })
      const waitS = (Date.parse(row!.nextAttemptAt!) - Date.now()) / 1000
      expect(waitS).toBeGreaterThan(attempt === 3 ? 500 : 20 * 2 ** (attempt - 1))
      await later()
    }
    expect(await deliver(input())).toEqual({ delivered: 1, failed: 0, givenUp: 0 })
    expect(received).toHaveLength(4)
    expect(new Set(received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(received[3]!.body).toMatchObject({ id: received[0]!.headers['idempotency-key'], link: 'http://ui/r1' })
  })

  it('give up in sight of people what is older than a day', async () => {
    const { url } = await receiver(500)
    env.HOOK = url
    await failing([webhook()])
    await base.db.query(`UPDATE _weir.alert_deliveries SET created_at = now() - interval '24 hours', attempts = 20`)
    expect(await deliver(input())).toEqual({ delivered: 0, failed: 0, givenUp: 1 })
    expect(await base.warehouse.alerts.deliveries({ undelivered: true, limit: 1 })).toMatchObject([
      { status: 'given_up', lastError: 'HTTP 500' },
    ])
    expect(logged).toContain('alert given up')
  })

  it('one that is dead holds up no other', async () => {
    const dead = await receiver('hang')
    const good = await receiver()
    Object.assign(env, { HOOK: dead.url, OTHER: good.url })
    await failing([webhook(), webhook({ url: '${OTHER}' })])
    expect(await deliver(input())).toEqual({ delivered: 1, failed: 1, givenUp: 0 })
    expect(good.received).toHaveLength(1)
  })

  it('get each message once from eight workers at once', async () => {
    const { url, received } = await receiver()
    env.HOOK = url
    await failing([webhook()])
    const others = Array.from({ length: 8 }, () => createWarehouse(base.url, { connections: 1 }))
    const receipts = await Promise.all(others.map((one) => deliver(input(one))))
    expect(receipts.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(1)
    expect(received).toHaveLength(1)
    await Promise.all(others.map((one) => one.close()))
  })

  it('hear of a failure by mail too, and no address or secret stays behind', async () => {
    const { port, mails, close } = await mailReceiver({ disabledCommands: ['STARTTLS'] })
    closing.push(close)
    Object.assign(env, { SMTP: `smtp://weir:pa55word@127.0.0.1:${port}`, OPS: 'ops@example.com', HOOK: 'http://127.0.0.1:9/5ecret' })
    await failing(
      [webhook(), { ...webhook(), kind: 'email', smtp: '${SMTP}', from: '${OPS}', to: ['${OPS}'] } as AlertTarget],
      'The vendor answered 401 to ana@example.com, +49 170 1234567.',
    )
    expect(await deliver(input())).toMatchObject({ delivered: 1, failed: 1 })
    expect(mails).toHaveLength(1)
    const { rows } = await base.db.query(
      `SELECT (SELECT json_agg(a) FROM _weir.alerts a)::text || (SELECT json_agg(d) FROM _weir.alert_deliveries d)::text || (SELECT json_agg(d) FROM _weir.definitions d)::text AS all_of_it`,
    )
    for (const text of [rows[0].all_of_it, JSON.stringify(logged), mails[0]!.text.replace(/^(From|To):.*$/gm, '')])
      expect(text).not.toMatch(/pa55word|5ecret|ops@|ana@|170 1234567/)
  })

  it('are judged again by the worker: its environment may lead elsewhere', async () => {
    env.HOOK = 'http://10.1.2.3/5ecret'
    await failing([webhook()])
    expect(await deliver(input())).toMatchObject({ failed: 1 })
    expect(await base.warehouse.alerts.deliveries({ limit: 1 })).toMatchObject([
      { lastError: expect.stringMatching(/^The webhook address in \$\{HOOK\} is a private/) },
    ])
    delete env.HOOK
    await later()
    await deliver(input())
    expect(await base.warehouse.alerts.deliveries({ limit: 1 })).toMatchObject([
      { lastError: expect.stringContaining('the variable HOOK is not set') },
    ])
  })

  it('answer a test at once, past the outbox', async () => {
    const { url, received } = await receiver()
    env.HOOK = url
    const definition = fakeDefinition({ sync: 'shop', alerts: [webhook()] })
    expect(await sendTest(input(), definition, 0)).toEqual({ isDelivered: true, answer: 'HTTP 200' })
    expect(received[0]!.body).toMatchObject({ event: 'test', title: 'test of the alerts of sync shop' })
    await expect(sendTest(input(), definition, 1)).rejects.toThrow('Sync shop has no alert target 2.')
  })
})
