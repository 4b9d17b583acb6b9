import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

describe.each(servers())('what is applied, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let close: () => Promise<void>
  beforeAll(async () => {
    ;({ warehouse, close } = await openedDatabase(url))
    for (const hash of ['one', 'two']) await warehouse.definitions.put(hash, fakeDefinition())
  })
  afterAll(() => close())

  test('a sync has one deployment: the newest', async () => {
    await warehouse.deployments.put([
      { sync: 'crm', definition: 'one', after: [], appliedBy: 'ana' },
      { sync: 'ads', definition: 'one', after: [], appliedBy: 'ana', schedule: { everyMs: 900_000 }, environment: 'prod' },
    ])
    await warehouse.deployments.put([{ sync: 'ads', definition: 'two', after: [], appliedBy: 'ben' }])
    expect(await warehouse.deployments.list()).toEqual([
      { sync: 'ads', definition: 'two', after: [], appliedBy: 'ben', appliedAt: expect.stringMatching(/Z$/) },
      { sync: 'crm', definition: 'one', after: [], appliedBy: 'ana', appliedAt: expect.stringMatching(/Z$/) },
    ])
  })

  test('what is removed is out of force; the rest stays', async () => {
    await warehouse.deployments.remove(['ads'])
    expect((await warehouse.deployments.list()).map(({ sync }) => sync)).toEqual(['crm'])
  })
})
