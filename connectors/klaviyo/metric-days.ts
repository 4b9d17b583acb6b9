import { dayMs } from '../../src/core/slices.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { recordsAt } from '../../src/extract/paginate.js'
import { earliest, idsOf, within } from './asking.js'
import { byLink, columns, words } from './report-kinds.js'

/** Every metric's events counted by day: no more than 60 requests a minute, one for each metric and 90 days. */
export const metricDays: DeclaredStream = {
  description: 'Events of each metric counted by day (UTC): how many, by how many people, with what value.',
  isDefault: false,
  key: ['metric_id', 'date'],
  fields: {
    metric_id: { type: 'text' },
    ...columns({ groupings: [], statistics: words('count unique sum_value') }),
    date: { type: 'date' },
  },
  mode: 'replace_slice',
  modes: ['replace_slice', 'merge'],
  bounds: { parent: 'metric_id', range: 'date' },
  record: (raw) => raw,
  passes: [
    {
      slicing: {
        by: 'time',
        days: 90,
        wholeDays: true,
        // Events arrive late.
        lookbackMs: 3 * dayMs,
        lagMs: 0,
        first: 'whole',
        parents: idsOf('/api/metrics', 'M'),
        earliest: earliest('/api/events', 'datetime', 'XL', within),
      },
      ask: ({ from, to, parent }) => ({
        method: 'POST',
        path: '/api/metric-aggregates',
        budget: 'S',
        body: {
          data: {
            type: 'metric-aggregate',
            attributes: {
              metric_id: parent,
              measurements: ['count', 'unique', 'sum_value'],
              interval: 'day',
              page_size: 500,
              timezone: 'UTC',
              filter: [`greater-or-equal(datetime,${from!.replace('.000Z', 'Z')})`, `less-than(datetime,${to!.replace('.000Z', 'Z')})`],
            },
          },
        },
      }),
      pages: byLink((body) => {
        const dates = recordsAt('data.attributes.dates')(body) as unknown[]
        // Not grouped by anything, there is one row of figures, or none where nothing happened.
        const [first] = recordsAt('data.attributes.data')(body)
        const figures = Object.entries((first?.measurements ?? {}) as Record<string, unknown[]>)
        return first
          ? dates.map((date, i) => ({
              date: String(date).slice(0, 10),
              ...Object.fromEntries(figures.map(([name, all]) => [name, all[i]])),
            }))
          : []
      }),
      parentField: 'metric_id',
    },
  ],
}
