import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/google-ads/source.js'
import type { Finding, Http, Rec } from '../../../src/core/types.js'
import { onlyWhatIsWritten, recordsOf } from '../vendor.js'
import { chunk, grants, open, origin, refusal, stream } from './wire.js'

const { source } = connector
const list = '/v26/customers:listAccessibleCustomers'
const client = (id: string, more: object = {}) => ({
  customerClient: {
    clientCustomer: `customers/${id}`,
    id,
    level: '1',
    manager: false,
    descriptiveName: `Shop ${id}`,
    status: 'ENABLED',
    ...more,
  },
})
const [root, other, shop, sale] = ['5555555555', '7777777777', '1111111111', '2222222222'] as const
const roots = (...ids: string[]) =>
  nock(origin)
    .get(list)
    .reply(200, { resourceNames: ids.map((id) => `customers/${id}`) })
const below = (id: string, ...clients: object[]) =>
  nock(origin, { reqheaders: { 'login-customer-id': id } })
    .post(stream(id), (body: Rec) => String(body.query).includes('FROM customer_client'))
    .reply(200, [chunk(client(id, { manager: true, level: '0', descriptiveName: 'Agency' }), ...clients)])
const walking = (settings: Record<string, unknown> = {}) => open({ login_customer_id: undefined, ...settings })

const parents = async (http: Http, name: string) => {
  const { slicing } = source.streams[name]!.passes[0]
  const ids: string[] = []
  if (slicing.by !== 'all') for await (const id of slicing.parents!(http)) ids.push(id)
  return ids
}

onlyWhatIsWritten()

describe('which accounts are read', () => {
  it('all below every root, each once; managers have no metrics and are not asked for any', async () => {
    grants()
    roots(root, other)
    below(root, client(shop), client(sale))
    below(other, client(sale), client('3333333333', { status: 'CANCELED' }))
    const { http } = walking()
    expect(await parents(http, 'campaign_daily')).toEqual([shop, sale])
    // One walk serves all streams of a client.
    expect(await parents(http, 'customers')).toEqual([root, shop, sale, other])
  })

  it('an account is read through the root that led to it', async () => {
    grants()
    roots(root)
    below(root, client(shop))
    nock(origin, { reqheaders: { 'login-customer-id': root } })
      .post(stream(shop))
      .reply(200, [])
    await recordsOf(walking().http, source.streams.labels, { slice: { parent: shop } })
  })

  it.each([
    ['names that are excluded', { accounts: { exclude: ['*TEST*'] } }, [shop]],
    ['names that are included', { accounts: { include: ['*(test)'] } }, [sale]],
    ['ids, with dashes as Google shows them', { accounts: { exclude: ['111-111-1111'] } }, [sale]],
    ['only those named, even where nothing leads to them', { customer_ids: ['222-222-2222', '9999999999'] }, [sale, '9999999999']],
  ])('%s', async (_, settings, expected) => {
    grants()
    below(
      root,
      client(shop),
      client(sale, { descriptiveName: 'Trials.(test)' }),
      client('4444444444', { status: 'CLOSED', descriptiveName: 'test' }),
    )
    expect(await parents(open(settings).http, 'campaigns')).toEqual(expected)
  })

  it('a closed root does not hide the others, and check says who must act', async () => {
    grants()
    roots(root, other)
    nock(origin)
      .post(stream(root))
      .reply(403, [refusal(403, 'PERMISSION_DENIED', { family: 'authorizationError', code: 'CUSTOMER_NOT_ENABLED' })])
    below(other, client(shop))
    nock(origin)
      .post(stream(shop))
      .reply(200, [chunk({ customer: { id: shop } })])
    const findings: Finding[] = []
    for await (const finding of source.check(walking().http)) findings.push(finding)
    expect(findings.map(({ name, ok }) => [name, ok])).toEqual([
      ['access', true],
      ['API version', true],
      [`account ${root}`, false],
      [`account ${shop}`, true],
    ])
    expect(findings[2]?.message).toContain('Its owner must reactivate it')
    expect(findings[1]?.message).toBe('Google Ads v26, served until 2027-11-01')
  })

  it('a walk that failed is tried again', async () => {
    grants()
    const { http } = open()
    nock(origin)
      .post(stream(root))
      .reply(400, [refusal(400, 'INVALID_ARGUMENT', { family: 'requestError', code: 'UNSUPPORTED_VERSION' })])
    await expect(parents(http, 'campaigns')).rejects.toMatchObject({ reason: 'config' })
    below(root, client(shop))
    expect(await parents(http, 'campaigns')).toEqual([shop])
  })
})
