import * as z from 'zod'
import { Failure } from '../../src/core/failure.js'
import { dayMs } from '../../src/core/slices.js'
import type { Http, HttpRequest, Page, ReadContext, Rec, Stream } from '../../src/core/types.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { pages } from './api.js'
import { earliest, within } from './asking.js'
import { metricDays } from './metric-days.js'
import { type Asked, byLink, columns, type Kind, kinds } from './report-kinds.js'

/**
 * Reports: what campaigns, flows, forms and segments achieved. Klaviyo allows two a minute and 225 a day, so none is read unless it is
 * named. Figures are restated while conversions come in. Fields and limits: OpenAPI of revision 2026-07-15.
 */

async function question(
  kind: keyof typeof kinds,
  what: 'values' | 'series',
  asked: Asked,
  timeframe: Rec,
  http: Http,
): Promise<HttpRequest> {
  const { byMetric, saysGroupings } = kinds[kind]
  const attributes = {
    statistics: asked.statistics,
    timeframe,
    ...(what === 'series' ? { interval: 'daily' } : {}),
    ...(saysGroupings ? { group_by: asked.groupings } : {}),
    ...(byMetric ? { conversion_metric_id: asked.metricId ?? (await placedOrder(http)) } : {}),
  }
  const data = { type: `${kind}-${what}-report`, attributes }
  return { method: 'POST', path: `/api/${kind}-${what}-reports`, body: { data }, budget: 'reports' }
}

/** The metric that shops count orders by. Names are not unique, and may change: where there are several, the user must say. */
async function placedOrder(http: Http): Promise<string> {
  const metrics = new Set<string>()
  for await (const { records } of walk({ http, paginator: pages, requests: () => [{ path: '/api/metrics', budget: 'M' }] }))
    for (const raw of records) if (at(raw, 'attributes.name') === 'Placed Order') metrics.add(String(raw.id))
  const found = [...metrics]
  if (found.length === 1) return found[0]!
  const say = 'define a stream of your own with report and conversion_metric_id'
  throw new Failure(
    'config',
    `Conversions are counted by a metric, and ${found.length} are named Placed Order (${found.join(', ')}): ${say}.`,
  )
}

const rows = (results: unknown): Rec[] =>
  (results as Rec[]).map(({ groupings, statistics }) => ({ ...(groupings as Rec), ...(statistics as Rec) }))

/** Figures of the last year, a row for each of what is grouped by. */
const values = (kind: keyof typeof kinds, asked: Asked = kinds[kind]): DeclaredStream => ({
  description: `What each ${kind} achieved in the last 365 days.`,
  isDefault: false,
  key: asked.groupings as [string, ...string[]],
  fields: columns(asked),
  mode: 'replace',
  modes: ['replace'],
  record: (raw) => keyed(raw, asked),
  passes: [
    {
      slicing: { by: 'all' },
      read: async function* ({ http, resume }) {
        const request = await question(kind, 'values', asked, { key: 'last_365_days' }, http)
        const paginator = byLink((body) => rows(recordsAt('data.attributes.results')(body)))
        yield* walk({ http, paginator, requests: () => [request], resume })
      },
    },
  ],
})

/** Figures day by day. */
const series = (kind: keyof typeof kinds, asked: Asked = kinds[kind]): DeclaredStream => ({
  description: `What each ${kind} achieved, day by day.`,
  isDefault: false,
  key: [...asked.groupings, 'date'] as unknown as [string, ...string[]],
  fields: { ...columns(asked), date: { type: 'date' } },
  mode: 'replace_slice',
  modes: ['replace_slice', 'merge'],
  bounds: { range: 'date' },
  record: (raw) => keyed(raw, asked),
  passes: [
    {
      // Conversions count for days after the message: a week is read again.
      slicing: {
        by: 'time',
        days: 90,
        wholeDays: true,
        lookbackMs: 7 * dayMs,
        lagMs: 0,
        first: 'whole',
        earliest: firstOf(kinds[kind].first),
      },
      read: (context) => days(kind, asked, context),
    },
  ],
})

const firstOf = ({ path, field, budget }: Kind['first']) => earliest(path, field, budget, within)

async function* days(kind: keyof typeof kinds, asked: Asked, { http, slice, resume }: ReadContext): AsyncIterable<Page> {
  const { from, to } = slice as { from: string; to: string }
  const end = new Date(Date.parse(to) - 1_000).toISOString().replace('.000Z', 'Z')
  const request = await question(kind, 'series', asked, { start: from.replace('.000Z', 'Z'), end }, http)
  const paginator = byLink((body) => {
    const dates = (recordsAt('data.attributes.date_times')(body) as unknown[]).map((date) => String(date).slice(0, 10))
    const results = recordsAt('data.attributes.results')(body)
    return results.flatMap(({ groupings, statistics }) =>
      dates.flatMap((date, i) => {
        if (date < from.slice(0, 10) || date >= to.slice(0, 10)) return []
        const figures = Object.entries(statistics as Record<string, unknown[]>).map(([name, all]) => [name, all[i]])
        return [{ ...(groupings as Rec), date, ...Object.fromEntries(figures) }]
      }),
    )
  })
  yield* walk({ http, paginator, requests: () => [request], resume })
}

/** What a row is known by is never missing: a group without a value is the group of the empty text. */
const keyed = (raw: Rec, { groupings }: Asked): Rec => ({ ...raw, ...Object.fromEntries(groupings.map((name) => [name, raw[name] ?? ''])) })

const built = {
  campaign_values: values('campaign'),
  flow_values: values('flow'),
  flow_series: series('flow'),
  form_values: values('form'),
  form_series: series('form'),
  segment_values: values('segment'),
  segment_series: series('segment'),
}
export const reports: Record<string, DeclaredStream> = { ...built, metric_days: metricDays }

/** A stream that the user defines: a report with a metric, figures and groups of its own. */
export const custom = z.object({
  report: z.enum(Object.keys(built) as [keyof typeof built, ...(keyof typeof built)[]]).meta({ description: 'Which report.' }),
  conversion_metric_id: z
    .string()
    .optional()
    .meta({ description: 'Metric that counts as conversion; else the only one named Placed Order.' }),
  statistics: z.array(z.string()).nonempty().optional().meta({ description: 'Figures, by Klaviyo’s names.' }),
  group_by: z
    .array(z.string())
    .nonempty()
    .optional()
    .meta({ description: 'What a row stands for; ids of campaign or flow and message are always among it.' }),
})

export function customStream(name: string, given: Rec): Stream {
  const { report, conversion_metric_id: metricId, statistics, group_by } = custom.parse(given)
  const [kind, what] = report.split('_') as [keyof typeof kinds, 'values' | 'series']
  const standard: Kind = kinds[kind]
  const must = standard.groupings.filter((one) => one !== 'send_channel')
  const groupings = group_by ? [...new Set([...must, ...group_by])] : standard.groupings
  const asked: Asked = { groupings, statistics: statistics ?? standard.statistics, metricId }
  return defineStreams({ [name]: what === 'values' ? values(kind, asked) : series(kind, asked) })[name]!
}
