import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { MembersReceipt } from '../../src/core/push.js'
import { pushActivities } from '../../worker/activities/push.js'
import { type Deps, systemClock } from '../../worker/deps.js'
import { audienceKey, fakeAudience, fakeDestination, prepare } from '../support/audience.js'
import { noHttp } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'

let opened: Opened
beforeAll(async () => {
  opened = await openedDatabase(undefined, { key: audienceKey })
  await opened.db.query(`CREATE TABLE people AS SELECT n::text AS id, 'p' || n || '@example.test' AS email FROM generate_series(1, 9) AS n`)
})
afterAll(() => opened.close())

it('sends all, the first time; a call that follows a failed one ends with its first batches, so that back-off begins anew', async () => {
  const { warehouse } = opened
  const fake = fakeDestination({ batch: 3, lanes: 1 })
  const run = 'run'
  await warehouse.definitions.put('vip', fakeAudience())
  await prepare({ warehouse, run, fake })
  const deps = {
    warehouse,
    clock: systemClock,
    redact: (text: string) => text,
    reach: async () => ({ destination: fake.destination, http: noHttp() }),
  } as unknown as Deps
  const called = (attempt: number) =>
    new MockActivityEnvironment({ attempt }).run(pushActivities(deps).pushMembers, {
      run,
      audience: 'vip',
      definition: 'vip',
      kind: 'manual' as const,
      destination: 'there',
      isOwedOnly: false,
    }) as Promise<MembersReceipt>
  expect(await called(2)).toEqual({ members: 3, more: true })
  expect(await called(1)).toEqual({ members: 6, more: false })
  expect(fake.held.size).toBe(9)
})
