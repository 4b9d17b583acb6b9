import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/google-ads/source.js'
import type { Rec } from '../../../src/core/types.js'
import { onlyWhatIsWritten, pagesOf, read, recordsOf } from '../vendor.js'
import { chunk, grants, manager, open, origin, shop, stream } from './wire.js'

const { streams } = connector.source
const days = { from: '2026-11-01T00:00:00.000Z', to: '2026-11-08T00:00:00.000Z' }

onlyWhatIsWritten()

/** The query of the one request that comes, whose body holds nothing else. */
function asked(answer: unknown = []): { query: string } {
  const seen = { query: '' }
  nock(origin)
    .post(stream(shop), (body: Rec) => {
      seen.query = String(body.query)
      return Object.keys(body).length === 1
    })
    .reply(200, answer as nock.Body)
  return seen
}

describe('what is asked', () => {
  it('a slice ends before its `to`: days are those of the account, and a week is seven of them', async () => {
    grants()
    const seen = asked()
    await recordsOf(open().http, streams.keyword_daily, { slice: { ...days, parent: shop } })
    expect(seen.query).toBe(
      'SELECT customer.id, customer.currency_code, customer.time_zone, segments.date, campaign.id, ad_group.id, ' +
        'ad_group_criterion.criterion_id, ad_group_criterion.keyword.text, ad_group_criterion.keyword.match_type, metrics.impressions, ' +
        'metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value, metrics.all_conversions, ' +
        'metrics.all_conversions_value, metrics.interactions, metrics.view_through_conversions FROM keyword_view ' +
        "WHERE segments.date BETWEEN '2026-11-01' AND '2026-11-07' ORDER BY segments.date, ad_group.id, ad_group_criterion.criterion_id " +
        'PARAMETERS omit_unselected_resource_names = true',
    )
  })

  it('things as they stand are asked for without a segment, which would leave out whatever had no traffic', async () => {
    for (const [name, { passes }] of Object.entries(streams)) {
      if (passes[0].slicing.by !== 'parent') continue
      grants()
      const seen = asked()
      await recordsOf(open().http, streams[name], { slice: { parent: shop } })
      expect(seen.query, name).not.toMatch(/segments\.|metrics\./)
    }
  })

  it('clicks are asked for day by day', async () => {
    grants()
    const seen = [asked(), asked(), asked()]
    await recordsOf(open().http, streams.click_view, { slice: { from: days.from, to: '2026-11-04T00:00:00.000Z', parent: shop } })
    expect(seen.map(({ query }) => /WHERE (.*) ORDER/.exec(query)?.[1])).toEqual([
      "segments.date = '2026-11-01'",
      "segments.date = '2026-11-02'",
      "segments.date = '2026-11-03'",
    ])
  })

  it('changes are asked for with both ends and the vendor’s largest LIMIT', async () => {
    grants()
    const seen = asked()
    await recordsOf(open().http, streams.change_status, { slice: { ...days, parent: shop } })
    expect(seen.query).toContain(
      "WHERE change_status.last_change_date_time >= '2026-11-01 00:00:00.000' AND change_status.last_change_date_time <= '2026-11-07 23:59:59.999999' " +
        'ORDER BY change_status.last_change_date_time, change_status.resource_name LIMIT 10000 PARAMETERS',
    )
  })

  it('the login is digits only, and a developer token is sent only where one is set', async () => {
    for (const [settings, sent] of [
      [{ login_customer_id: '555-555-5555' }, undefined],
      [{ developer_token: 'abcdefghijklmnopqrstuv' }, 'abcdefghijklmnopqrstuv'],
    ] as const) {
      grants()
      nock(origin, {
        reqheaders: { 'login-customer-id': manager, ...(sent ? { 'developer-token': sent } : {}) },
        badheaders: sent ? [] : ['developer-token'],
      })
        .post(stream(shop))
        .reply(200, [])
      await recordsOf(open(settings).http, streams.labels, { slice: { parent: shop } })
    }
  })
})

describe('what is answered', () => {
  const row = {
    customer: { id: shop, currencyCode: 'EUR', timeZone: 'Europe/Berlin' },
    campaign: { id: '9007199254740993', name: 'Brand' },
    segments: { date: '2026-11-02', device: 'UNKNOWN', adNetworkType: 'A_NETWORK_OF_TOMORROW' },
    metrics: {
      clicks: '12',
      impressions: '340',
      costMicros: '9223372036854775807',
      conversions: 2,
      conversionsValue: 1.5,
      averageCpc: 435833.33,
      allConversions: 'NaN',
    },
  }

  it('int64 stays text to the last digit, enums of tomorrow pass, what is not set has no value, and account and money are in every row', async () => {
    grants()
    asked([{ ...chunk(row), metricAttributes: [{ name: 'x' }], queryResourceConsumption: '118' }])
    const [record] = await recordsOf(open().http, streams.campaign_daily, { slice: { ...days, parent: shop } })
    expect(record).toEqual({
      customer_id: shop,
      customer_currency_code: 'EUR',
      customer_time_zone: 'Europe/Berlin',
      date: '2026-11-02',
      campaign_id: '9007199254740993',
      campaign_name: 'Brand',
      device: 'UNKNOWN',
      ad_network_type: 'A_NETWORK_OF_TOMORROW',
      clicks: '12',
      impressions: '340',
      cost_micros: '9223372036854775807',
      conversions: 2,
      conversions_value: 1.5,
      average_cpc: 435833.33,
      all_conversions: 'NaN',
    })
  })

  it.each([
    ['an empty array', []],
    ['a chunk without results', [{ fieldMask: 'campaign.id', requestId: 'x1' }]],
  ])('no rows come as %s', async (_, answer) => {
    grants()
    asked(answer)
    expect(await pagesOf(open().http, streams.campaigns, { slice: { parent: shop } })).toEqual([{ records: [] }])
  })

  it('a report is read as it comes in: a chunk is given before the next one is sent', async () => {
    let more = () => {}
    const server = createServer((request, response) => {
      request.resume()
      response.setHeader('content-type', 'application/json')
      if (request.url === '/token') return void response.end(JSON.stringify({ access_token: 'ya29.x', expires_in: 3599 }))
      response.write(`[${JSON.stringify(chunk({ campaign: { id: '1' } }))},`)
      more = () => response.end(`\n${JSON.stringify(chunk({ campaign: { id: '2' } }))}]`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    nock.enableNetConnect('127.0.0.1')
    try {
      const { http } = open({}, { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
      const pages = read(http, streams.campaigns, { slice: { parent: shop } })[Symbol.asyncIterator]()
      expect((await pages.next()).value.records).toEqual([{ campaign: { id: '1' } }])
      more()
      expect((await pages.next()).value.records).toEqual([{ campaign: { id: '2' } }])
      expect((await pages.next()).value).toEqual({ records: [] })
    } finally {
      nock.disableNetConnect()
      server.close()
    }
  })

  it('a reading that goes on passes over what it had, and begins anew where its last row has vanished', async () => {
    const rows = ['1', '2', '3', '4'].map((id) => ({ campaign: { id } }))
    const answer = (...ids: string[]) =>
      asked([chunk(...ids.slice(0, 2).map((id) => ({ campaign: { id } }))), chunk(...ids.slice(2).map((id) => ({ campaign: { id } })))])
    const { http } = open()
    grants()
    answer('1', '2', '3', '4')
    const [first] = await pagesOf(http, streams.campaigns, { slice: { parent: shop } })
    expect(first?.records).toEqual(rows.slice(0, 2))
    const onward = { slice: { parent: shop }, resume: first?.resume ?? {} }
    const ids = async () =>
      (await pagesOf(http, streams.campaigns, onward)).flatMap(({ records }) => records.map((record) => (record.campaign as Rec).id))
    answer('1', '2', '3', '4')
    expect(await ids()).toEqual(['3', '4'])
    // A row more before it changes nothing.
    answer('0', '1', '2', '3')
    expect(await ids()).toEqual(['3'])
    answer('1', '3', '4', '5')
    answer('1', '3', '4', '5')
    expect(await ids()).toEqual(['1', '3', '4', '5'])
  })
})
