import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../../cli/dev/stack.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Project } from '../support/project.js'
import { expectNoAddress, startProject } from '../support/stack.js'

describe('an audience, by the command, to the vendor’s own memory', () => {
  let sandbox: Sandbox
  let project: Project
  let stack: Stack
  let db: pg.Client
  let stop: () => Promise<void>

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 50, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
    ;({ project, stack, db, stop } = await startProject(`
version: 1
connections:
  klaviyo: { type: klaviyo, base_url: "${sandbox.url}", api_key: "${sandbox.klaviyo.apiKey}", budget: "off" }
models:
  vip: { sql: "SELECT id, email, phone, ads_consent, ltv FROM crm.people", key: id }
  stopped: { table: crm.stopped, key: email }
audiences:
  vip:
    model: vip
    identity: { email: email, phone: phone, default_country: DE }
    consent: { column: ads_consent }
    suppress: [{ model: stopped, by: email }]
    gates: { max_remove: 20% }
    destinations:
      mail: { connection: klaviyo, list: High value, create: true, map: { first_name: { value: Friend }, properties: { ltv: ltv } } }
`))
    await db.query('CREATE SCHEMA crm')
    await db.query('CREATE TABLE crm.people (id int, email text, phone text, ads_consent text, ltv numeric)')
    await db.query('CREATE TABLE crm.stopped (email text)')
    await db.query(
      "INSERT INTO crm.people SELECT n, 'p' || n || '@example.test', NULL, CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'granted' END, n FROM generate_series(1, 100) AS n",
    )
    await db.query("UPDATE crm.people SET email = 'nobody' WHERE id = 7")
    await db.query("INSERT INTO crm.stopped VALUES ('P8@example.test')")
  })
  afterAll(async () => {
    await stop?.()
    await sandbox?.stop()
  })

  const held = () => {
    const id = [...sandbox.klaviyo.store.lists.values()].find(({ name }) => name === 'High value')!.id
    return [...sandbox.klaviyo.store.members.get(id)!.values()]
      .map((member) => sandbox.klaviyo.store.profiles.get(member.id)!.email!)
      .sort()
  }
  const wanted = (without: (n: number) => boolean) =>
    Array.from({ length: 100 }, (_, at) => at + 1)
      .filter((n) => n % 10 !== 0 && n !== 7 && n !== 8 && !without(n))
      .map((n) => `p${n}@example.test`)
      .sort()

  it('is previewed, pushed, and held as the model says, less consent, suppressions and rejects', { timeout: 120_000 }, async () => {
    const seen = await project.weir(['audience', 'preview', 'vip', '--json'])
    expect(seen.code, seen.stderr).toBe(0)
    expect(JSON.parse(seen.stdout)).toMatchObject({
      rows: 100,
      people: 89,
      excluded: { consent_refused: 10, suppressed: 1 },
      destinations: { mail: { add: 88, remove: 0, excluded: { no_identifier: 1 } } },
    })
    expect([...sandbox.klaviyo.store.lists.values()].some(({ name }) => name === 'High value')).toBe(false)
    const pushed = await project.weir(['audience', 'push', 'vip', '--by', 'ana', '--json'])
    expect(pushed.code, pushed.stderr + pushed.stdout).toBe(0)
    expect(JSON.parse(pushed.stdout)).toMatchObject({ status: 'completed', destinations: [{ sent: 88, confirmed: 88, rejected: 0 }] })
    expect(held()).toEqual(wanted(() => false))
    const row = sandbox.klaviyo.store.profileBy('email', 'p9@example.test')!
    expect(row).toMatchObject({ first: 'Friend', properties: { ltv: 9 }, consent: { state: 'never' } })
  })

  it('waits outside its gates, while a refusal goes out; an approval by who asked or of another change set is refused', {
    timeout: 120_000,
  }, async () => {
    await db.query("UPDATE crm.people SET ads_consent = 'denied' WHERE id = 11")
    await db.query('DELETE FROM crm.people WHERE id > 50')
    const pushed = await project.weir(['audience', 'push', 'vip', '--by', 'ana', '--json'])
    expect(pushed.code, pushed.stderr + pushed.stdout).toBe(3)
    const { status, prepared, verdict } = JSON.parse(pushed.stdout)
    expect(status).toBe('waiting')
    expect(verdict[0]).toMatch(/^mail would lose 45 of 88 people, 20 % are allowed \(max_remove\)$/)
    expect(held()).toEqual(wanted((n) => n === 11))
    const decide = (by: string, changeSet: string) =>
      project.weir(['audience', 'approve', 'vip', '--change-set', changeSet, '--by', by, '--json'])
    expect((await decide('ben', '0123456789')).code).toBe(2)
    const own = await decide('ana', prepared.changeSet)
    expect(own.code).not.toBe(0)
    expect(own.stderr).toMatch(/ana asked for this push; somebody else has to decide/)
    expect(held()).toEqual(wanted((n) => n === 11))
    expect((await decide('ben', prepared.changeSet.slice(0, 12))).code).toBe(0)
    await expect.poll(() => held(), { timeout: 60_000 }).toEqual(wanted((n) => n === 11 || n > 50))
  })

  it('leaves no address in histories, tables and logs', async () => {
    await expectNoAddress({ project, stack, db })
  })
})
