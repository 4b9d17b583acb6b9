import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../../cli/dev/stack.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Project } from '../support/project.js'
import { expectNoAddress, startProject } from '../support/stack.js'

describe('an audience of contacts and of a list in HubSpot, by the command', () => {
  let sandbox: Sandbox
  let project: Project
  let stack: Stack
  let db: pg.Client
  let stop: () => Promise<void>

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 50, activitiesPerPerson: 0, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    ;({ project, stack, db, stop } = await startProject(`
version: 1
connections:
  hubspot: { type: hubspot, base_url: "${sandbox.url}", access_token: "${sandbox.hubspot.token}", budget: "off" }
models:
  vip: { sql: "SELECT id, ref, email, ads_consent, plan, seats FROM crm.people", key: id }
  stopped: { table: crm.stopped, key: email }
audiences:
  vip:
    model: vip
    identity: { email: email, external_id: ref }
    consent: { column: ads_consent }
    suppress: [{ model: stopped, by: email }]
    destinations:
      manual: { connection: hubspot, list: High value, create: true, map: { plan: plan, seats: seats } }
      contacts: { connection: hubspot, object: contacts, match: external_id, map: { lifecyclestage: { value: customer } } }
`))
    await db.query('CREATE SCHEMA crm')
    await db.query('CREATE TABLE crm.people (id int, ref text, email text, ads_consent text, plan text, seats text)')
    await db.query('CREATE TABLE crm.stopped (email text)')
    const plan = sandbox.hubspot.store.properties.get('contacts')!.get('plan')!.options[0]!.value
    await db.query(
      `INSERT INTO crm.people SELECT n, 'ref-' || n, 'P' || n || '@example.test', CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'granted' END, $1, n
       FROM generate_series(1, 120) AS n`,
      [plan],
    )
    await db.query("UPDATE crm.people SET email = NULL WHERE id = 4; UPDATE crm.people SET seats = 'many' WHERE id = 5")
    await db.query("UPDATE crm.people SET plan = 'Unobtainium' WHERE id = 6; INSERT INTO crm.stopped VALUES ('p8@example.test')")
  })
  afterAll(async () => {
    await stop?.()
    await sandbox?.stop()
  })

  const push = async () => {
    const pushed = await project.weir(['audience', 'push', 'vip', '--by', 'ana', '--json'])
    expect(pushed.stdout, pushed.stderr).not.toBe('')
    const { status, destinations } = JSON.parse(pushed.stdout)
    return { status, destinations: Object.fromEntries(destinations.map((row: { destination: string }) => [row.destination, row])) }
  }
  const id = () => [...sandbox.hubspot.store.lists.values()].find(({ name }) => name === 'High value')!.id
  const held = () =>
    sandbox.truth.hubspot.members(id()).map(({ recordId }) => sandbox.hubspot.store.objects.contacts.get(recordId)!.properties.email!)
  const wanted = (without: (n: number) => boolean) =>
    Array.from({ length: 120 }, (_, at) => at + 1)
      .filter((n) => n % 10 !== 0 && n !== 8 && !without(n))
      .map((n) => `p${n}@example.test`)
      .sort()
  /** Members that were effectively put on the list and taken off it, all pushes together. */
  const moved = () => {
    const counts = [...sandbox.hubspot.writing.pushed.lists.get(id())!.values()]
    const sum = (what: 'added' | 'removed') => counts.reduce((all, one) => all + one[what], 0)
    return { added: sum('added'), removed: sum('removed') }
  }
  const ledger = async (destination: string) => {
    const { rows } = await db.query<{ state: string; members: number }>(
      'SELECT state, count(*)::int AS members FROM _weir.audience_members WHERE destination = $1 GROUP BY state ORDER BY state',
      [destination],
    )
    return Object.fromEntries(rows.map(({ state, members }) => [state, members]))
  }

  it('is held as the model says, less consent, suppressions and rejects, though the answer to a batch is lost', async () => {
    // Taken by the list, and the connection breaks before it has said so.
    sandbox.faults.add({ fault: { kind: 'reset', when: 'during' }, path: '*/memberships/add' })
    const { status, destinations } = await push()
    expect(sandbox.faults.list()[0]!.hits).toBe(1)
    expect(status).toBe('completed_with_rejections')
    expect(destinations.manual).toMatchObject({ sent: 107, confirmed: 104, rejected: 3 })
    expect(held().sort()).toEqual(wanted((n) => [4, 5, 6].includes(n)))
    expect(moved()).toEqual({ added: 104, removed: 0 })
    expect(await ledger('manual')).toMatchObject({ confirmed: 104 })
    // Contacts by the unique property: who has no address there is sent all the same.
    expect(destinations.contacts).toMatchObject({ sent: 107, confirmed: 107, rejected: 0 })
    const { rows } = await db.query<{ message: string }>(
      "SELECT message FROM _weir.audience_members WHERE state = 'rejected' ORDER BY message",
    )
    expect(rows.map(({ message }) => message)).toEqual(
      expect.arrayContaining(["plan: the value is none of the property's choices.", 'seats: INVALID_NUMBER.']),
    )
  })

  it('a second push sends only who was refused, and changes nothing', async () => {
    const before = moved()
    const { destinations } = await push()
    expect(destinations.manual).toMatchObject({ sent: 3, confirmed: 0, rejected: 3 })
    expect(destinations.contacts).toMatchObject({ sent: 0, rejected: 0 })
    expect(moved()).toEqual(before)
  })

  it('who is mended joins, who left, refused or was suppressed leaves; the ledger sums up to the list', async () => {
    await db.query("UPDATE crm.people SET seats = '5' WHERE id = 5; UPDATE crm.people SET ads_consent = 'denied' WHERE id = 11")
    await db.query("DELETE FROM crm.people WHERE id > 101; INSERT INTO crm.stopped VALUES ('P12@Example.test')")
    const { destinations } = await push()
    expect(destinations.manual).toMatchObject({ confirmed: 1, rejected: 2, removed: 19 })
    const left = wanted((n) => [4, 6, 11, 12].includes(n) || n > 101)
    expect(held().sort()).toEqual(left)
    expect(moved()).toEqual({ added: 105, removed: 19 })
    expect(await ledger('manual')).toMatchObject({ confirmed: left.length })
  })

  it('leaves no address in histories, tables and logs', async () => {
    await expectNoAddress({ project, stack, db })
  })
})
