import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { look } from '../../src/alerts/look.js'
import { noCounts } from '../../src/core/receipt.js'
import type { AlertDeps } from '../../worker/deps.js'
import { createWatchman } from '../../worker/watchman.js'
import { webhookReceiver } from '../src/alerts/receivers.js'
import { webhook } from '../src/alerts/support.js'
import { fakeDefinition } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const minute = 60_000

describe('a worker of whose fellows nobody looks for alerts', () => {
  let base: Opened
  let hook: Awaited<ReturnType<typeof webhookReceiver>>
  beforeAll(async () => {
    base = await openedDatabase(inject('postgresUrl'))
    hook = await webhookReceiver()
  })
  afterAll(async () => {
    await hook.close()
    await base.close()
  })

  it('looks itself, when they have had their time and not before; several of them tell nothing twice', async () => {
    const { warehouse, db } = base
    let now = Date.parse('2026-06-01T00:00:00Z')
    const clock = { now: () => new Date(now), sleep: () => Promise.resolve() }
    const deps = {
      warehouse,
      clock,
      log: quiet,
      redact: (text: string) => text,
      resolveTarget: () => webhook({ url: hook.url }),
      linkOf: () => undefined,
    } as unknown as AlertDeps
    await warehouse.definitions.put('hash', fakeDefinition({ sync: 'shop', alerts: [webhook()] }))
    await warehouse.runs.start({ run: 'r1', sync: 'shop', definition: 'hash', kind: 'manual' })
    await warehouse.runs.finish('r1', 'failed', noCounts(), { reason: 'auth', message: 'no' })
    const watchmen = [createWatchman(deps), createWatchman(deps)]

    expect(await watchmen[0]!()).toBe(false) // it has only just started
    now += 6 * minute
    expect(await Promise.all(watchmen.map((watchman) => watchman()))).toContain(true)
    expect(hook.received).toHaveLength(1)
    expect(await watchmen[0]!()).toBe(false) // somebody has looked

    await db.query(`UPDATE _weir.alert_watch SET looked_at = now() - interval '6 minutes'`)
    await look({ warehouse, log: quiet, redact: deps.redact, sync: 'shop' }) // the end of a run is no look at all
    expect(await watchmen[1]!()).toBe(true)
    expect(hook.received).toHaveLength(1)
  })
})
