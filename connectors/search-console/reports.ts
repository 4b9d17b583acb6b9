import * as z from 'zod'
import { dayMs } from '../../src/core/slices.js'
import type { Http, Rec, Slice, Stream, SyncMode } from '../../src/core/types.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { countedInBody } from '../../src/extract/paginate.js'
import { rowId } from '../../src/extract/row-id.js'
import { rows, searchAnalytics } from './api.js'
import * as fields from './fields.js'
import { siteUrls } from './sites.js'

/** What people searched for, by day and site. A day is California's, and final after two or three days (Google's page on performance data). */

/** Days are read again for so long: those that were not final yet give no rows. */
const againDays = 7
/** Google keeps so much. */
const keptMonths = 16

const text = (instant: string | number) => new Date(instant).toISOString().slice(0, 10)
/** A slice's end is exclusive, a query's is not. */
const lastDay = ({ to }: Slice) => text(Date.parse(to!) - 1)

/** The first day that has figures. Days without any are left out of an answer, so one small query tells. */
async function firstDay(http: Http, from: string | undefined, site: string | undefined): Promise<string | undefined> {
  const now = Date.now()
  const oldest = new Date(now)
  oldest.setUTCMonth(oldest.getUTCMonth() - keptMonths)
  const query = { startDate: text(from ?? oldest.getTime()), endDate: text(now), dimensions: ['date'] }
  const { body } = await http.request(searchAnalytics(http, site!, query))
  // They come by clicks, not by day.
  const first = rows(body)
    .map(({ keys }) => String((keys as unknown[])[0]))
    .sort()[0]
  return first === undefined ? undefined : `${first}T00:00:00.000Z`
}

interface Report {
  description: string
  /** Beside the day. */
  by: readonly string[]
  /** web, image, video, news, discover, googleNews; web where it is not said. */
  type?: string | undefined
  /** Days in a slice: what a query costs grows with its days, most of all by page and query. */
  days: number
  isDefault?: boolean
}

const modes: readonly SyncMode[] = ['replace_slice', 'merge', 'replace']

export function report({ description, by, type, days, isDefault = true }: Report): DeclaredStream {
  const dimensions = ['date', ...by]
  // Searches and addresses may be longer than an index takes.
  const isLong = by.includes('page') || by.includes('query')
  const record = ({ site_url, keys, ...figures }: Rec): Rec => ({
    site_url,
    ...Object.fromEntries(dimensions.map((name, i) => [name, (keys as unknown[])[i]])),
    ...(isLong ? { row_id: rowId(keys as unknown[]) } : {}),
    ...figures,
  })
  return {
    description,
    isDefault,
    key: ['site_url', ...(isLong ? ['row_id'] : dimensions)],
    fields: {
      site_url: { type: 'text' },
      ...Object.fromEntries(dimensions.map((name) => [name, fields.dimensions[name]!])),
      ...(isLong ? { row_id: { type: 'text' } } : {}),
      ...fields.metrics,
    },
    mode: 'replace_slice',
    modes,
    bounds: { parent: 'site_url', range: 'date' },
    parallel: 4,
    record,
    passes: [
      {
        slicing: {
          by: 'time',
          days,
          lookbackMs: againDays * dayMs,
          lagMs: 0,
          first: 'whole',
          parents: siteUrls,
          wholeDays: true,
          earliest: firstDay,
        },
        parentField: 'site_url',
        pages: countedInBody(rows, 'startRow'),
        ask: (slice, { http }) =>
          searchAnalytics(http, slice.parent!, {
            startDate: text(slice.from!),
            endDate: lastDay(slice),
            dimensions,
            ...(type === undefined ? {} : { type }),
          }),
      },
    ],
  }
}

/** Reports that users define. */
export const custom = z.object({
  dimensions: z
    .array(z.enum(['page', 'query', 'country', 'device']))
    .meta({ description: 'What to group by, beside the day. By `query` Google leaves out what few people searched for.' }),
  search_type: z
    .enum(['web', 'image', 'video', 'news', 'discover', 'googleNews'])
    .optional()
    .meta({ description: 'Which search; web where it is not said.' }),
})

export function customReport(name: string, given: Rec): Stream {
  const { dimensions, search_type } = given as z.infer<typeof custom>
  return defineStreams({ [name]: report({ description: 'Your report.', by: [...new Set(dimensions)], type: search_type, days: 1 }) })[name]!
}
