import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/google-ads/source.js'
import type { Rec } from '../../../src/core/types.js'
import { onlyWhatIsWritten, recordsOf } from '../vendor.js'
import { chunk, grants, open, origin, shop, stream } from './wire.js'

const custom = (query: string) => connector.source.custom!('my_report', { query })
const field = (name: string, dataType: string, more: object = {}) => ({
  resourceName: `googleAdsFields/${name}`,
  name,
  dataType,
  selectable: true,
  ...more,
})
const named = (...results: object[]) =>
  nock(origin)
    .post('/v26/googleAdsFields:search', (body: Rec) =>
      /^SELECT name, data_type, is_repeated, selectable WHERE name IN \(/.test(String(body.query)),
    )
    .reply(200, { results, totalResultsCount: String(results.length) })

onlyWhatIsWritten()

describe('a report that the user writes', () => {
  const query =
    "SELECT campaign.name, segments.date, metrics.cost_micros FROM campaign WHERE campaign.status != 'LIMIT' AND metrics.clicks > 0"

  it('is cut into days, carries account and currency, and replaces what a slice held', async () => {
    const report = custom(query)
    expect(report).toMatchObject({
      name: 'my_report',
      mode: 'replace_slice',
      key: ['customer_id', 'row_id'],
      bounds: { parent: 'customer_id', range: 'date' },
    })
    grants()
    let asked = ''
    nock(origin)
      .post(stream(shop), (body: Rec) => {
        asked = String(body.query)
        return true
      })
      .reply(200, [
        chunk(
          { customer: { id: shop }, campaign: { name: 'A' }, segments: { date: '2026-11-01' }, metrics: { costMicros: '10' } },
          { customer: { id: shop }, segments: { date: '2026-11-01' }, metrics: { costMicros: '20' } },
        ),
      ])
    const records = await recordsOf(open().http, report, {
      slice: { from: '2026-11-01T00:00:00Z', to: '2026-11-03T00:00:00Z', parent: shop },
    })
    expect(asked).toBe(
      'SELECT customer.id, customer.currency_code, customer.time_zone, campaign.name, segments.date, metrics.cost_micros FROM campaign ' +
        "WHERE campaign.status != 'LIMIT' AND metrics.clicks > 0 AND segments.date BETWEEN '2026-11-01' AND '2026-11-02' " +
        'ORDER BY campaign.name, segments.date PARAMETERS omit_unselected_resource_names = true',
    )
    // A name that is not set is a value like another: such a row has a key, too.
    expect(new Set(records.map(({ row_id }) => row_id)).size).toBe(2)
    expect(records[0]).toMatchObject({ customer_id: shop, campaign_name: 'A', date: '2026-11-01', cost_micros: '10' })
  })

  it('is typed by the field service', async () => {
    grants()
    named(
      field('campaign.id', 'INT64'),
      field('campaign.labels', 'RESOURCE_NAME', { isRepeated: true }),
      field('campaign.end_date', 'DATE'),
      field('campaign.maximize_conversions', 'MESSAGE'),
      field('segments.date', 'DATE'),
      field('segments.device', 'ENUM'),
      field('metrics.conversions', 'DOUBLE'),
      field('metrics.tomorrow', 'SOMETHING_NEW'),
    )
    const all =
      'campaign.id, campaign.labels, campaign.end_date, campaign.maximize_conversions, segments.date, segments.device, metrics.conversions, metrics.tomorrow'
    const fields = await custom(`SELECT ${all} FROM campaign`).discover!(open().http)
    expect(Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type]))).toEqual({
      campaign_id: 'bigint',
      campaign_labels: 'json',
      campaign_end_date: 'text',
      campaign_maximize_conversions: 'json',
      date: 'date',
      device: 'text',
      conversions: 'double',
      tomorrow: 'json',
    })
  })

  it('names the fields that the version does not have', async () => {
    grants()
    named(field('segments.date', 'DATE'))
    await expect(custom('SELECT segments.date, campaign.start_date FROM campaign').discover!(open().http)).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('v26 has no field campaign.start_date'),
    })
  })

  it('without days and metrics it is a snapshot of each account', () => {
    expect(custom('select campaign.id, campaign.labels from campaign')).toMatchObject({
      bounds: { parent: 'customer_id' },
      passes: [{ slicing: { by: 'parent' } }],
    })
  })

  it.each([
    ['campaign.id FROM campaign', 'is not SELECT'],
    ['SELECT * FROM campaign', 'is not SELECT'],
    ['SELECT campaign FROM campaign', 'selects "campaign"'],
    ['SELECT metrics.clicks FROM campaign', 'select segments.date, too'],
    ['SELECT segments.month, metrics.clicks FROM campaign', 'select segments.date beside it'],
    ['SELECT segments.date FROM campaign WHERE segments.date DURING LAST_7_DAYS', 'filters segments.date'],
    ['SELECT segments.date FROM campaign ORDER BY segments.date', 'must not have ORDER BY'],
    ['SELECT segments.date FROM campaign LIMIT 5', 'must not have LIMIT'],
    ['SELECT segments.date FROM campaign PARAMETERS include_drafts=true', 'must not have PARAMETERS'],
    ['SELECT click_view.gclid, segments.date FROM click_view', 'take the stream click_view'],
    ['SELECT metrics.device, segments.device, segments.date FROM campaign', 'two fields for the column device'],
  ])('%s is refused before anything is asked', (given, why) => {
    expect(() => custom(given)).toThrow(why)
  })
})
