import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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

  it('says who changed between its pushes, and who asked and decided; the log shows where it is altered', {
    timeout: 120_000,
  }, async () => {
    await expect
      .poll(async () => JSON.parse((await project.weir(['audience', 'runs', 'vip', '--json'])).stdout).runs[0].status)
      .toBe('completed')
    const diff = await project.weir(['audience', 'diff', 'vip', '--json'])
    expect(diff.code, diff.stderr).toBe(0)
    expect(JSON.parse(diff.stdout)).toMatchObject({
      destinations: [{ destination: 'mail', joined: 0, left: 45 + 1, changed: 0 }],
      changes: [
        { action: 'remove', cause: 'consent_refused', members: 1 },
        { action: 'remove', cause: 'left', members: 45 },
      ],
    })
    const log = JSON.parse((await project.weir(['audit', 'list', '--audience', 'vip', '--json'])).stdout).rows
    expect(log.map(({ event, by }: { event: string; by?: string }) => [event, by])).toEqual([
      ['push_ended', 'ana'],
      ['push_approved', 'ben'],
      ['push_judged', undefined],
      ['push_asked', 'ana'],
      ['push_ended', 'ana'],
      ['push_judged', undefined],
      ['push_asked', 'ana'],
    ])
    const whole = await project.weir(['audit', 'verify'])
    expect(whole.code, whole.stdout).toBe(0)
    expect(whole.stdout).toMatch(/whole: 7 rows/)
    await db.query("UPDATE _weir.audit_log SET actor = 'eve' WHERE seq = 4")
    const broken = await project.weir(['audit', 'verify'])
    expect(broken.code).toBe(1)
    expect(broken.stdout).toMatch(/broken at row 4: it was altered/)
    await db.query("UPDATE _weir.audit_log SET actor = 'ana' WHERE seq = 4")
  })

  it('takes back who is erased, at once where that is asked for, and sends them never again', { timeout: 180_000 }, async () => {
    const file = join(project.folder, 'who.txt')
    await writeFile(file, 'P5@Example.test\n')
    const asked = await project.weir(['erase', '--file', file, '--dry-run', '--json'])
    expect(asked.code, asked.stderr).toBe(0)
    expect(JSON.parse(asked.stdout).erasures).toEqual([
      { pending: [{ audience: 'vip', destination: 'mail', members: 1 }], forgotten: 0, deadLetters: 0 },
    ])
    const unsure = await project.weir(['erase', '--file', file])
    expect(unsure.code).toBe(2)
    expect(unsure.stderr).toMatch(/Answer with --yes/)
    expect(held()).toContain('p5@example.test')
    const erased = await project.weir(['erase', '--file', file, '--push', '--yes', '--by', 'dpo'])
    expect(erased.code, erased.stderr + erased.stdout).toBe(0)
    expect(erased.stdout).toMatch(/held by vip → mail/)
    expect(erased.stdout).toMatch(/Left to you:\n.*models vip/)
    expect(held()).toEqual(wanted((n) => n === 5 || n === 11 || n > 50))
    const [row] = JSON.parse((await project.weir(['erase', 'list', '--json'])).stdout).erasures
    expect(row).toMatchObject({ kind: 'email', by: 'dpo', pending: [], endedAt: expect.any(String) })
    const again = await project.weir(['audience', 'push', 'vip', '--by', 'ana', '--json'])
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ prepared: { excluded: { erased: 1 }, destinations: { mail: { add: 0, remove: 0 } } } })
    expect(held()).not.toContain('p5@example.test')
    expect((await project.weir(['status'])).stdout).toMatch(/vip +completed .* mail +41 /)
    expect((await project.weir(['audit', 'verify'])).code).toBe(0)
  })

  it('leaves no address in histories, tables and logs', async () => {
    await expectNoAddress({ project, stack, db })
  })
})
