import { createHash } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../../cli/dev/stack.js'
import { googleAdsOAuth, type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Project } from '../support/project.js'
import { expectNoAddress, startProject } from '../support/stack.js'

const shop = '1111111111'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('an audience to a user list, by the command', () => {
  let sandbox: Sandbox
  let project: Project
  let stack: Stack
  let db: pg.Client
  let stop: () => Promise<void>

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 50, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
    const { clientId, clientSecret, refreshToken } = googleAdsOAuth
    ;({ project, stack, db, stop } = await startProject(
      `
version: 1
connections:
  ads: { type: google_ads, base_url: "${sandbox.url}", oauth_base_url: "${sandbox.url}", client_id: "\${ID}", client_secret: "\${SECRET}",
    refresh_token: "\${REFRESH}", login_customer_id: "5555555555", budget: "off" }
models:
  vip: { sql: "SELECT id, email, ads_consent FROM crm.people", key: id }
audiences:
  vip:
    model: vip
    identity: { email: email }
    consent: { column: ads_consent }
    gates: { max_remove: 90% }
    destinations:
      google: { connection: ads, list: Best people, create: true, customer_id: "111-111-1111", membership_days: 60, status_after_seconds: 1 }
`,
      { env: { ID: clientId, SECRET: clientSecret, REFRESH: refreshToken } },
    ))
    await db.query('CREATE SCHEMA crm')
    await db.query(
      "CREATE TABLE crm.people AS SELECT n AS id, 'P' || n || '@Example.test ' AS email, CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'granted' END AS ads_consent FROM generate_series(1, 40) AS n",
    )
    await db.query("UPDATE crm.people SET email = 'nobody' WHERE id = 7")
  })
  afterAll(async () => {
    await stop?.()
    await sandbox?.stop()
  })

  const list = () => sandbox.google_ads.dataManager.lists.of(shop).find(({ name }) => name === 'Best people')!
  const wanted = (without: (n: number) => boolean) =>
    Array.from({ length: 40 }, (_, at) => at + 1)
      .filter((n) => n % 10 !== 0 && n !== 7 && !without(n))
      .map((n) => `email:${sha256(`p${n}@example.test`)}`)
      .sort()
  const push = async () => {
    const pushed = await project.weir(['audience', 'push', 'vip', '--by', 'ana', '--json'])
    return { ...pushed, said: JSON.parse(pushed.stdout || '{}') }
  }

  it('is pushed, pushed again without a call, and taken back; who Google refuses without a name is counted', async () => {
    const late = sha256('p3@example.test')
    sandbox.google_ads.switches.lateRefusals = new Map([[late, 'DENIED_CONSENT']])
    const first = await push()
    expect(first.said, first.stderr).toMatchObject({
      status: 'completed_with_rejections',
      destinations: [{ sent: 35, accepted: 34, rejected: 1 }],
    })
    const { held } = sandbox.google_ads.dataManager
    expect(held(list()).sort()).toEqual(wanted((n) => n === 3))
    expect(list().durationSeconds).toBe(60 * 86_400)

    const uploads = () =>
      sandbox.requests({ vendor: 'google_ads', method: 'POST' }).filter(({ path }) => path.includes('audienceMembers')).length
    const before = uploads()
    expect((await push()).said).toMatchObject({ status: 'completed' })
    expect(uploads()).toBe(before)

    await db.query("UPDATE crm.people SET ads_consent = 'denied' WHERE id = 11")
    await db.query('DELETE FROM crm.people WHERE id > 30')
    sandbox.google_ads.switches.lateRefusals = new Map()
    expect((await push()).said).toMatchObject({ status: 'completed', destinations: [{ removed: 10 }] })
    expect(held(list()).sort()).toEqual(wanted((n) => n === 3 || n === 11 || n > 30))
    const counts = [...sandbox.google_ads.dataManager.pushed.get(list().id)!.values()]
    expect(counts.reduce((sum, { added }) => sum + added, 0)).toBe(34)
    expect(counts.reduce((sum, { removed }) => sum + removed, 0)).toBe(10)
  })

  it('leaves no address in histories, tables and logs', async () => {
    await expectNoAddress({ project, stack, db })
  })
})
