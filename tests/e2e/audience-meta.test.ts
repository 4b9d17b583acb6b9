import { createHash } from 'node:crypto'
import { kill } from 'node:process'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../../cli/dev/stack.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Project } from '../support/project.js'
import { expectNoAddress, startProject } from '../support/stack.js'

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')
const addressOf = (n: number) => `p${n}@example.test`
const people = 2_400
/** Of these Meta refuses the hash. */
const isRefused = (n: number) => n % 20 === 3

describe('a custom audience, by the command, to Meta’s own memory', () => {
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
  meta: { type: meta, base_url: "${sandbox.url}", access_token: "${sandbox.meta.token}", ad_accounts: [${sandbox.meta.adAccounts.join(', ')}], budget: "off" }
models:
  vip: { sql: "SELECT id, email, country, consent FROM crm.people", key: id }
  stopped: { table: crm.stopped, key: email }
audiences:
  vip:
    model: vip
    identity: { email: email, country: country }
    consent: { column: consent }
    suppress: [{ model: stopped, by: email }]
    destinations:
      ads: { connection: meta, custom_audience: High value, create: true, ad_account: ${sandbox.meta.adAccounts[1]} }
`))
    await db.query('CREATE SCHEMA crm')
    await db.query('CREATE TABLE crm.stopped (email text)')
    await db.query(
      `CREATE TABLE crm.people AS SELECT n AS id, 'P' || n || '@Example.test ' AS email, 'DE' AS country,
         CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'granted' END AS consent FROM generate_series(1, ${people}) AS n`,
    )
    await db.query("INSERT INTO crm.stopped VALUES ('p8@example.test')")
    for (let n = 1; n <= people; n++) if (isRefused(n)) sandbox.meta.switches.invalidValues.set(sha256(addressOf(n)), 'Invalid value')
  })
  afterAll(async () => {
    await stop?.()
    await sandbox?.stop()
  })

  const membership = () => {
    const made = sandbox.truth.meta.custom_audiences!().find(({ name }) => name === 'High value')!
    expect(`act_${String(made.account_id)}`).toBe(sandbox.meta.adAccounts[1])
    return sandbox.meta.writing.membership(String(made.id))
  }
  const held = () =>
    membership()
      .members()
      .map(({ EMAIL }) => EMAIL!)
      .sort()
  const wanted = (isIn: (n: number) => boolean) =>
    Array.from({ length: people }, (_, at) => at + 1)
      .filter(isIn)
      .map((n) => sha256(addressOf(n)))
      .sort()
  const isIn = (n: number) => n % 10 !== 0 && n !== 8 && !isRefused(n)
  const refused = wanted(isRefused).length
  const push = async () => {
    const pushed = await project.weir(['audience', 'push', 'vip', '--by', 'ana', '--json'])
    return { code: pushed.code, stderr: pushed.stderr, ...JSON.parse(pushed.stdout) }
  }
  const uploads = () => sandbox.requests('meta').filter(({ path }) => path.endsWith('/users')).length

  it('an answer lost and a worker killed before another: everybody is there once, less consent, suppressions and refusals', async () => {
    const path = '*/users'
    // Rows have their effect, and the answer is lost: once for the client, which repeats it, and once for a worker that dies.
    sandbox.faults.add({ vendor: 'meta', path, fault: { kind: 'cut', how: 'length' } })
    const last = sandbox.faults.add({ vendor: 'meta', path, fault: { kind: 'slow', ms: 2_000, drip: true }, skip: 3 })
    const pushing = push()
    await expect.poll(() => sandbox.faults.list().find(({ id }) => id === last)!.hits, { timeout: 30_000 }).toBe(1)
    expect(membership().members().length).toBe(wanted(isIn).length)
    kill(-stack.info.pids.worker!, 'SIGKILL')
    const ended = await pushing
    expect(ended.code, ended.stderr).toBe(3)
    const taken = wanted(isIn).length
    expect(ended).toMatchObject({
      status: 'completed_with_rejections',
      destinations: [{ sent: taken + refused, accepted: taken, confirmed: 0, rejected: refused }],
    })
    expect(held()).toEqual(wanted(isIn))
    expect([...membership().pushed.values()].every(({ added, removed }) => added === 1 && removed === 0)).toBe(true)
  }, 120_000)

  it('an unchanged second push sends those alone who were refused; who is let in then is in', async () => {
    sandbox.meta.switches.invalidValues.delete(sha256(addressOf(3)))
    const before = uploads()
    const ended = await push()
    expect(ended).toMatchObject({ destinations: [{ sent: refused, accepted: 1, rejected: refused - 1 }] })
    // Of 119 refused a call names a hundred.
    expect(uploads() - before).toBe(2)
    expect(held()).toEqual(wanted((n) => isIn(n) || n === 3))
  })

  it('who left, who withdrew, and who is suppressed are taken out, once', async () => {
    await db.query("UPDATE crm.people SET consent = 'denied' WHERE id = 11")
    await db.query("INSERT INTO crm.stopped VALUES ('p12@example.test')")
    await db.query('DELETE FROM crm.people WHERE id > 2300')
    const ended = await push()
    const gone = (n: number) => n === 11 || n === 12 || n > 2_300
    const left = wanted((n) => gone(n) && isIn(n)).length
    expect(ended).toMatchObject({ destinations: [{ removed: left }] })
    expect(held()).toEqual(wanted((n) => (isIn(n) || n === 3) && !gone(n)))
    expect([...membership().pushed.values()].filter(({ removed }) => removed === 1)).toHaveLength(left)
  })

  it('leaves no address in histories, tables and logs', async () => {
    await expectNoAddress({ project, stack, db })
  })
})
