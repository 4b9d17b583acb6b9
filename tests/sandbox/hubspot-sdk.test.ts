import { Client } from '@hubspot/api-client'
import { AssociationSpecAssociationCategoryEnum } from '@hubspot/api-client/lib/codegen/crm/associations/v4/models/AssociationSpec.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'

/** The vendor's own SDK, unmodified, as a client. It speaks v3 and v4 paths; dated ones go through its raw request. */
let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSandbox({ people: 400, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
  client = new Client({ accessToken: sandbox.hubspot.token, basePath: sandbox.hubspot.url })
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

interface Page {
  results: { id: string }[]
  paging?: { next?: { after: string } }
}
async function walk(page: (after: string | undefined) => Promise<Page>): Promise<string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const { results, paging } = await page(after)
    ids.push(...results.map(({ id }) => id))
    after = paging?.next?.after
  } while (after !== undefined)
  return ids
}
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 200,
    (error: { code?: number }) => error.code,
  )

describe('the HubSpot SDK', () => {
  it.each(['contacts', 'companies', 'deals', 'tickets'] as const)(
    'pages through %s, archived ones apart, in order of number',
    async (type) => {
      const truth = sandbox.truth.hubspot[type]()
      for (const archived of [false, true]) {
        const ids = await walk((after) => client.crm[type].basicApi.getPage(100, after, undefined, undefined, undefined, archived))
        const expected = truth.filter((record) => record.archived === archived).map(({ id }) => id)
        expect(ids).toEqual(expected.sort((a, b) => Number(a) - Number(b)))
      }
    },
  )

  it('shows the asked-for properties as text or null, and dates as dates', async () => {
    const { results } = await client.crm.contacts.basicApi.getPage(100, undefined, ['seats', 'plan', 'no_such_property'])
    expect(results[0]?.createdAt).toBeInstanceOf(Date)
    for (const { properties } of results) {
      expect(Object.keys(properties).sort()).toEqual(['createdate', 'hs_object_id', 'lastmodifieddate', 'plan', 'seats'])
      for (const value of Object.values(properties)) expect(value === null || typeof value === 'string').toBe(true)
    }
  })

  it('pages through a search by keyset', async () => {
    const request = { sorts: ['hs_object_id'], properties: ['email'], limit: 50, filterGroups: [] }
    const ids = await walk((after) => client.crm.contacts.searchApi.doSearch({ ...request, ...(after ? { after } : {}) }))
    const standing = sandbox.truth.hubspot.contacts().filter(({ archived }) => !archived)
    expect(ids).toEqual(standing.map(({ id }) => id).sort((a, b) => Number(a) - Number(b)))
  })

  it('waits a second after a refused search and gets its page', async () => {
    const patient = new Client({ accessToken: sandbox.hubspot.token, basePath: sandbox.hubspot.url, numberOfApiCallRetries: 2 })
    sandbox.faults.add({ fault: { kind: 'throttled' }, path: '*/search' })
    expect((await patient.crm.contacts.searchApi.doSearch({ limit: 5 })).results).toHaveLength(5)
    const [refused, answered] = sandbox.requests({ path: '*/search' }).slice(-2)
    expect([refused?.status, answered?.status]).toEqual([429, 200])
    expect(answered!.receivedAtMs - refused!.receivedAtMs).toBeGreaterThanOrEqual(990)
  })

  it('reads many by id and hears of the missing ones beside them', async () => {
    const [first, second] = sandbox.truth.hubspot.companies()
    const inputs = [{ id: first!.id }, { id: second!.id }, { id: '404' }]
    const reply = await client.crm.companies.batchApi.read({ inputs, properties: ['name'], propertiesWithHistory: [] })
    expect(reply.results.map(({ id }) => id).sort()).toEqual([first!.id, second!.id].sort())
    expect((reply as { errors?: { context?: { ids?: string[] } }[] }).errors?.[0]?.context?.ids).toEqual(['404'])
  })

  it('reads owners, pipelines, properties and lists', async () => {
    const working = await client.crm.owners.ownersApi.getPage(undefined, undefined, 100, false)
    const gone = await client.crm.owners.ownersApi.getPage(undefined, undefined, 100, true)
    expect(working.results.length + gone.results.length).toBe(sandbox.truth.hubspot.owners().length)
    expect(gone.results.every(({ userId, userIdIncludingInactive }) => !userId && userIdIncludingInactive)).toBe(true)
    expect((await client.crm.pipelines.pipelinesApi.getAll('deals')).results.map(({ id }) => id)).toEqual(['default', '8134421'])
    expect((await client.crm.properties.coreApi.getAll('contacts', false)).results.find(({ name }) => name === 'seats')?.type).toBe(
      'number',
    )
    const { lists } = await client.crm.lists.listsApi.doSearch({
      listIds: [],
      offset: 0,
      processingTypes: [],
      additionalProperties: [],
      count: 500,
      query: '',
    })
    expect(lists.map(({ listId }) => listId)).toEqual(sandbox.truth.hubspot.lists().map(({ listId }) => listId))
  })

  it('pages through the members of a list', async () => {
    const ids: string[] = []
    let after: string | undefined
    do {
      const page = await client.crm.lists.membershipsApi.getPage('8', after, undefined, 50)
      ids.push(...page.results.map(({ recordId }) => recordId))
      after = page.paging?.next?.after
    } while (after !== undefined)
    expect(ids).toEqual(
      sandbox.truth.hubspot
        .members('8')
        .map(({ recordId }) => recordId)
        .sort((a, b) => Number(a) - Number(b)),
    )
    expect(ids.length).toBeGreaterThan(50)
  })

  it('hears which records have no partner, as part of a good answer', async () => {
    const contacts = sandbox.truth.hubspot.contacts()
    const employed = contacts.find(({ properties }) => properties.associatedcompanyid)!
    const alone = contacts.find(({ properties }) => !properties.associatedcompanyid)!
    const reply = await client.crm.associations.v4.batchApi.getPage('contacts', 'companies', {
      inputs: [{ id: employed.id }, { id: alone.id }],
    })
    expect(reply.results[0]?.to.map(({ toObjectId }) => toObjectId)).toEqual([employed.properties.associatedcompanyid])
    expect(reply.results[0]?.to[0]?.associationTypes.map(({ category, typeId }) => [category, typeId])).toEqual([
      [AssociationSpecAssociationCategoryEnum.HubspotDefined, 279],
      [AssociationSpecAssociationCategoryEnum.HubspotDefined, 1],
    ])
    expect((reply as { errors?: { subCategory?: unknown }[] }).errors).toHaveLength(1)
  })

  it('is told 401 for a wrong token and 403 for a missing scope', async () => {
    const nobody = new Client({ accessToken: 'pat-na1-nobody', basePath: sandbox.hubspot.url })
    expect(await code(nobody.crm.contacts.basicApi.getPage())).toBe(401)
    const limited = new Client({ accessToken: sandbox.hubspot.limitedToken, basePath: sandbox.hubspot.url })
    expect(await code(limited.crm.deals.basicApi.getPage())).toBe(403)
    expect(await code(limited.crm.contacts.basicApi.getPage())).toBe(200)
  })

  it('exchanges a refresh token once', async () => {
    const { clientId, clientSecret } = sandbox.hubspot.oauth
    const fresh = new Client({ basePath: sandbox.hubspot.url })
    const before = sandbox.hubspot.access.currentRefreshToken()
    const ask = () => fresh.oauth.tokensApi.create('refresh_token', undefined, undefined, clientId, clientSecret, before)
    const given = await ask()
    expect(given.expiresIn).toBe(1800)
    expect(await code(ask())).toBe(400)
    fresh.setAccessToken(given.accessToken)
    expect(await code(fresh.crm.contacts.basicApi.getPage(1))).toBe(200)
    sandbox.hubspot.access.expireTokens()
    expect(await code(fresh.crm.contacts.basicApi.getPage(1))).toBe(401)
  })

  it.each(['2025-09', '2026-03', '2026-09'])('finds the same records under the paths of %s', async (version) => {
    const dated = await client.apiRequest({ path: `/crm/objects/${version}/contacts?limit=5` })
    const undated = await client.apiRequest({ path: '/crm/v3/objects/contacts/?limit=5' })
    const [one, other] = [(await dated.json()) as Page, (await undated.json()) as Page]
    expect(one.results).toEqual(other.results)
    expect((await client.apiRequest({ path: '/crm/objects/2027-03/contacts' })).status).toBe(404)
  })
})

describe('the HubSpot SDK, writing', () => {
  it('upserts contacts and keeps a manual list of them', async () => {
    const input = (id: string, properties: Record<string, string>, objectWriteTraceId: string) => ({
      id,
      idProperty: 'email',
      properties,
      objectWriteTraceId,
    })
    const { batchApi } = client.crm.contacts
    const answer = await batchApi.upsert({
      inputs: [input('Sdk@example.test', { firstname: 'S' }, 'a'), input('bad@example.test', { seats: 'many' }, 'b')],
    })
    expect(answer.results.map(({ _new, properties }) => [_new, properties.firstname])).toEqual([[true, 'S']])
    expect((answer as unknown as { errors: { context: unknown }[] }).errors.map(({ context }) => context)).toEqual([
      { objectWriteTraceId: ['b'] },
    ])
    const twice = { inputs: [input('sdk@example.test', {}, 'a'), input('SDK@example.test', {}, 'b')] }
    expect(await code(batchApi.upsert(twice))).toBe(400)
    const id = answer.results[0]!.id
    const { list } = await client.crm.lists.listsApi.create({ name: 'By the SDK', objectTypeId: '0-1', processingType: 'MANUAL' })
    const added = await client.crm.lists.membershipsApi.add(list.listId, [id, '404'])
    expect([added.recordsIdsAdded, added.recordIdsMissing]).toEqual([[id], ['404']])
    await client.crm.lists.membershipsApi.addAndRemove(list.listId, { recordIdsToAdd: [], recordIdsToRemove: [id] })
    expect(sandbox.hubspot.writing.pushed.lists.get(list.listId)).toEqual(new Map([[id, { added: 1, removed: 1 }]]))
    const dynamic = sandbox.truth.hubspot.lists().find(({ processingType }) => processingType === 'DYNAMIC')!
    expect(await code(client.crm.lists.membershipsApi.add(String(dynamic.listId), [id]))).toBe(400)
  })
})
