import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Project } from '../support/project.js'
import { startProject } from '../support/stack.js'

describe('audiences to Salesforce, by the command', { timeout: 120_000 }, () => {
  let sandbox: Sandbox
  let project: Project
  let db: pg.Client
  let stop: () => Promise<void>

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 50, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
    ;({ project, db, stop } = await startProject(`
version: 1
connections:
  crm: { type: salesforce, base_url: "${sandbox.url}", access_token: "${sandbox.salesforce.token}", budget: "off" }
models:
  everybody: { sql: "SELECT id, 'p' || id AS code, last_name, seats, consent FROM crm.people", key: id }
  vip: { sql: "SELECT id, 'P' || id AS code, consent FROM crm.people WHERE id <= 60", key: id }
audiences:
  everybody:
    model: everybody
    identity: { external_id: code }
    consent: { column: consent }
    destinations:
      contacts: { connection: crm, object: Contact, match: Audience_Key__c, map: { LastName: last_name, Seats__c: seats } }
  vip:
    model: vip
    identity: { external_id: code }
    consent: { column: consent }
    destinations:
      members: { connection: crm, campaign: VIP, create: true, match: Contact.Audience_Key__c, status: Sent }
`))
    await db.query('CREATE SCHEMA crm')
    await db.query('CREATE TABLE crm.people (id int, last_name text, seats int, consent text)')
    await db.query(
      "INSERT INTO crm.people SELECT n, 'Person ' || n, n % 9, CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'granted' END FROM generate_series(1, 2300) AS n",
    )
    await db.query('UPDATE crm.people SET last_name = NULL WHERE id = 7')
  })
  afterAll(async () => {
    await stop?.()
    await sandbox?.stop()
  })

  const push = async (audience: string) => {
    const pushed = await project.weir(['audience', 'push', audience, '--by', 'ana', '--json'])
    expect([0, 3], pushed.stderr + pushed.stdout).toContain(pushed.code)
    return JSON.parse(pushed.stdout)
  }
  const table = (name: string) => [...sandbox.salesforce.store.table(name).values()].filter(({ deletedMs }) => deletedMs === null)
  const contacts = () => table('Contact').filter(({ cells }) => cells.Audience_Key__c != null)
  const idsOf = (without: (n: number) => boolean, most: number) =>
    Array.from({ length: most }, (_, at) => at + 1).filter((n) => n % 10 !== 0 && n !== 7 && !without(n))

  it('thousands become contacts by one job, less who is refused; a second push sends who was refused, and no one else', async () => {
    expect(await push('everybody')).toMatchObject({
      status: 'completed_with_rejections',
      destinations: [{ sent: 2_070, confirmed: 2_069, rejected: 1 }],
    })
    const jobs = () => sandbox.requests({ vendor: 'salesforce', method: 'PUT', path: '*/batches' }).length
    expect(jobs()).toBe(1)
    const held = contacts().map(({ cells }) => [cells.Audience_Key__c, cells.LastName, cells.Seats__c])
    const wanted = idsOf(() => false, 2_300).map((n) => [`p${n}`, `Person ${n}`, n % 9])
    expect(held.sort()).toEqual(wanted.sort())
    await db.query("UPDATE crm.people SET last_name = 'Found' WHERE id = 7")
    expect(await push('everybody')).toMatchObject({ status: 'completed', destinations: [{ sent: 1, confirmed: 1 }] })
    expect(await push('everybody')).toMatchObject({ status: 'completed', destinations: [{ sent: 0 }] })
    expect(jobs()).toBe(1)
    const counts = [...sandbox.salesforce.pushed.get('Contact')!.values()]
    expect(counts).toHaveLength(2_070)
    expect(counts.every(({ added, updated }) => added === 1 && updated === 0)).toBe(true)
  })

  it('a campaign holds exactly the model, less consent; who leaves is taken out', async () => {
    expect(await push('vip')).toMatchObject({ destinations: [{ sent: 54, confirmed: 54, rejected: 0 }] })
    await db.query("UPDATE crm.people SET consent = 'denied' WHERE id = 11")
    await db.query('DELETE FROM crm.people WHERE id BETWEEN 21 AND 25')
    expect(await push('vip')).toMatchObject({ status: 'completed', destinations: [{ removed: 6 }] })
    expect(await push('vip')).toMatchObject({ destinations: [{ sent: 0, removed: 0 }] })
    const { id } = table('Campaign').find(({ cells }) => cells.Name === 'VIP')!
    const keyOf = new Map(contacts().map((row) => [row.id, Number(String(row.cells.Audience_Key__c).slice(1))]))
    const held = table('CampaignMember').filter(({ cells }) => cells.CampaignId === id)
    const kept = [...idsOf((n) => n === 11 || (n >= 21 && n <= 25), 60), 7].sort((a, b) => a - b)
    expect(held.map(({ cells }) => keyOf.get(String(cells.ContactId))!).sort((a, b) => a - b)).toEqual(kept)
    const counts = [...sandbox.salesforce.pushed.get(id)!.values()]
    expect(counts.reduce((sum, { added }) => sum + added, 0)).toBe(54)
    expect(counts.reduce((sum, { removed }) => sum + removed, 0)).toBe(6)
  })
})
