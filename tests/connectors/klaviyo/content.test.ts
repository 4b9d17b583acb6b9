import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/klaviyo/source.js'
import type { Rec } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten, recordsOf, recordsOfParents } from '../vendor.js'

// Bodies as in Klaviyo's OpenAPI description, revision 2026-07-15.
const origin = 'https://a.klaviyo.com'
const { streams } = connector.source
const open = () => connect(connector, { api_key: 'pk_test' })
const page = (data: unknown[], more: Rec = {}) => ({ data, links: { self: `${origin}/api/x`, next: null, prev: null }, ...more })

onlyWhatIsWritten()

describe('messages', () => {
  it('of campaigns come beside them, channel by channel, archived or not, and know their campaign', async () => {
    const asked: string[] = []
    const campaign = {
      type: 'campaign',
      id: 'c1',
      relationships: { 'campaign-messages': { data: [{ type: 'campaign-message', id: 'm1' }] } },
    }
    const message = { type: 'campaign-message', id: 'm1', attributes: { definition: { channel: 'email' }, send_times: [] } }
    nock(origin)
      .get('/api/campaigns')
      .query((query) => asked.push(String(query.filter)) > 0 && query.include === 'campaign-messages')
      .times(6)
      // A page may include other things, or nothing.
      .reply(200, () =>
        asked.length === 1 ? page([campaign], { included: [message, { type: 'tag', id: 't1', attributes: {} }] }) : page([]),
      )
    expect(await recordsOf(open().http, streams.campaign_messages)).toEqual([
      expect.objectContaining({ id: 'm1', campaign_id: 'c1', definition: { channel: 'email' } }),
    ])
    expect(new Set(asked).size).toBe(6)
    expect(asked[0]).toBe("and(equals(messages.channel,'email'),equals(archived,false))")
  })

  it('of flows are read action by action, of archived flows, too; one that went meanwhile has none', async () => {
    nock(origin)
      .get('/api/flows')
      .query({ filter: 'equals(archived,false)' })
      .reply(200, page([{ type: 'flow', id: 'f1' }]))
      .get('/api/flows')
      .query({ filter: 'equals(archived,true)' })
      .reply(200, page([]))
      .get('/api/flows/f1/flow-actions')
      .reply(
        200,
        page([
          { type: 'flow-action', id: '48' },
          { type: 'flow-action', id: '49' },
        ]),
      )
      .get('/api/flow-actions/48/flow-messages')
      .query({ 'page[size]': '50' })
      .reply(200, page([{ type: 'flow-message', id: 'x', attributes: { channel: 'email', updated: '2026-11-02T08:00:00+00:00' } }]))
      .get('/api/flow-actions/49/flow-messages')
      .query(true)
      .reply(404, { errors: [{ id: 'x', status: 404, code: 'not_found', title: 'Not found.', detail: 'No action.' }] })
    expect(await recordsOfParents(open().http, streams.flow_messages)).toEqual([
      { id: 'x', flow_action_id: '48', channel: 'email', updated: '2026-11-02T08:00:00+00:00' },
    ])
  })
})

describe('reports', () => {
  const slice = { from: '2026-11-01T00:00:00.000Z', to: '2026-11-03T00:00:00.000Z' }
  const metrics = (...ids: string[]) =>
    nock(origin)
      .get('/api/metrics')
      .reply(
        200,
        page([
          ...ids.map((id) => ({ type: 'metric', id, attributes: { name: 'Placed Order' } })),
          { id: 'o', attributes: { name: 'Opened Email' } },
        ]),
      )
  const groupings = { campaign_id: 'c1', campaign_message_id: 'm1', send_channel: 'email' }

  it('are read by those alone who name them', () => {
    expect(
      Object.values(streams).filter(({ name, isDefault }) => isDefault && /values|series|metric_days|flow_messages/.test(name)),
    ).toEqual([])
  })

  it('of campaigns say figures, groups, time and the metric that counts as conversion', async () => {
    metrics('Ord1')
    nock(origin)
      .post('/api/campaign-values-reports', ({ data }: { data: { type: string; attributes: Rec } }) => {
        expect(data.type).toBe('campaign-values-report')
        expect(data.attributes).toMatchObject({
          timeframe: { key: 'last_365_days' },
          conversion_metric_id: 'Ord1',
          group_by: ['campaign_id', 'campaign_message_id', 'send_channel'],
        })
        return (data.attributes.statistics as string[]).includes('opens')
      })
      .reply(200, {
        data: { type: 'campaign-values-report', attributes: { results: [{ groupings, statistics: { opens: 12.0 } }] } },
        links: {},
      })
    expect(await recordsOf(open().http, streams.campaign_values)).toEqual([{ ...groupings, opens: 12 }])
  })

  it.each([[[]], [['Ord1', 'Ord2']]])('do not guess the metric among %j', async (ids) => {
    metrics(...ids)
    await expect(recordsOf(open().http, streams.campaign_values)).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('conversion_metric_id'),
    })
  })

  it('by day are a record for each day of the range, whatever other days the answer holds', async () => {
    const forms = nock(origin).post('/api/form-series-reports', ({ data }: { data: { attributes: Rec } }) => {
      expect(data.attributes).toMatchObject({
        interval: 'daily',
        timeframe: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T23:59:59Z' },
      })
      return data.attributes.conversion_metric_id === undefined
    })
    const dates = ['2026-10-31', '2026-11-01', '2026-11-02', '2026-11-03'].map((date) => `${date}T00:00:00+00:00`)
    const results = [{ groupings: { form_id: 'f1' }, statistics: { submits: [1, 2, 3, 4] } }]
    forms.reply(200, { data: { type: 'form-series-report', attributes: { date_times: dates, results } }, links: {} })
    expect(await recordsOf(open().http, streams.form_series, { slice })).toEqual([
      { form_id: 'f1', date: '2026-11-01', submits: 2 },
      { form_id: 'f1', date: '2026-11-02', submits: 3 },
    ])
  })

  it('go on to the next page with the same question', async () => {
    const next = `${origin}/api/segment-values-reports?page_cursor=bmV4dA`
    const body = (id: string, links: Rec) => ({
      data: {
        type: 'segment-values-report',
        attributes: { results: [{ groupings: { segment_id: id }, statistics: { total_members: 7 } }] },
      },
      links,
    })
    const bodies: unknown[] = []
    const keep = (given: Rec) => bodies.push(given) > 0
    nock(origin)
      .post('/api/segment-values-reports', keep)
      .reply(200, body('s1', { next }))
      .post('/api/segment-values-reports?page_cursor=bmV4dA', keep)
      .reply(200, body('s2', {}))
    expect((await recordsOf(open().http, streams.segment_values)).map(({ segment_id }) => segment_id)).toEqual(['s1', 's2'])
    expect(bodies[1]).toEqual(bodies[0])
  })

  it('are two a minute', async () => {
    const opened = open()
    nock(origin)
      .post('/api/segment-values-reports')
      .times(3)
      .reply(200, { data: { attributes: { results: [] } }, links: {} })
    const started = opened.clock.now().getTime()
    for (let i = 0; i < 3; i++) await recordsOf(opened.http, streams.segment_values)
    expect(opened.clock.now().getTime() - started).toBeGreaterThanOrEqual(58_000)
  })

  it('that are spent for the day are handed to whoever can wait long', async () => {
    nock(origin)
      .post('/api/segment-values-reports')
      .reply(429, { errors: [{ code: 'throttled', detail: 'Expected available in 40000 seconds.' }] }, { 'retry-after': '40000' })
    await expect(recordsOf(open().http, streams.segment_values)).rejects.toMatchObject({
      reason: 'throttled',
      where: { waitUntil: '2026-11-23T23:06:40.000Z' },
    })
  })

  it('of one’s own take a metric, figures and groups; what a row is known by is always among these, and never missing', async () => {
    const own = connector.source.custom!('sales', {
      report: 'flow_values',
      conversion_metric_id: 'Ord2',
      statistics: ['conversion_value'],
      group_by: ['tag_name', 'flow_id'],
    })
    expect(own.key).toEqual(['flow_id', 'flow_message_id', 'tag_name'])
    nock(origin)
      .post('/api/flow-values-reports', ({ data }: { data: { attributes: Rec } }) => data.attributes.conversion_metric_id === 'Ord2')
      .reply(200, {
        data: {
          attributes: {
            results: [{ groupings: { flow_id: 'f', flow_message_id: 'm', tag_name: null }, statistics: { conversion_value: 1.5 } }],
          },
        },
      })
    expect(await recordsOf(open().http, own)).toEqual([{ flow_id: 'f', flow_message_id: 'm', tag_name: '', conversion_value: 1.5 }])
  })

  it('of metrics count the days of a range', async () => {
    nock(origin)
      .post('/api/metric-aggregates', ({ data }: { data: { attributes: Rec } }) => {
        expect(data.attributes).toMatchObject({
          metric_id: 'Ord1',
          filter: ['greater-or-equal(datetime,2026-11-01T00:00:00Z)', 'less-than(datetime,2026-11-03T00:00:00Z)'],
        })
        return true
      })
      .reply(200, {
        data: {
          type: 'metric-aggregate',
          attributes: {
            dates: ['2026-11-01T00:00:00+00:00', '2026-11-02T00:00:00+00:00'],
            data: [{ dimensions: [], measurements: { count: [3, 0], unique: [2, 0], sum_value: [59.7, 0] } }],
          },
        },
        links: {},
      })
    expect(await recordsOf(open().http, streams.metric_days, { slice: { ...slice, parent: 'Ord1' } })).toEqual([
      { metric_id: 'Ord1', date: '2026-11-01', count: 3, unique: 2, sum_value: 59.7 },
      { metric_id: 'Ord1', date: '2026-11-02', count: 0, unique: 0, sum_value: 0 },
    ])
  })
})
