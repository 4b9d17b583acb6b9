import { createHash } from 'node:crypto'
import type { Http, Page, ReadContext, Rec } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { cursorParameter, type Paginator } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { pages, path } from './api.js'
import * as fields from './marketing-fields.js'

/** What marketing sends and gathers: e-mails, campaigns, forms, what was submitted, and what became of each message. */

const hour = 3_600_000
const day = 24 * hour

const small = { mode: 'replace', modes: ['replace', 'merge', 'history'] } as const

const allForms = (http: Http) => ({ path: path(http, 'forms'), query: { formTypes: 'all', limit: 100 } })

async function* formIds(http: Http): AsyncIterable<string> {
  for await (const { records } of walk({ http, paginator: pages, requests: () => [allForms(http)] }))
    for (const { id } of records) yield String(id)
}

/** Submissions come newest first and take no range: the pages are left when they get older than what is asked for. */
async function* submissions({ http, slice, resume }: ReadContext): AsyncIterable<Page> {
  const from = slice.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(slice.from)
  const to = Date.parse(slice.to!)
  const requests = () => [{ path: path(http, 'submissions', `/${slice.parent}`), query: { limit: 50 } }]
  for await (const page of walk({ http, paginator: pages, requests, resume })) {
    const times = page.records.map(({ submittedAt }) => Number(submittedAt))
    const records = page.records.filter((_, i) => times[i]! >= from && times[i]! < to)
    const isPast = times.some((time) => time < from)
    yield { records: records.map((one) => ({ ...one, form_id: slice.parent })), ...(isPast ? {} : { resume: page.resume }) }
    if (isPast) return
  }
}

/** Some old submissions have no id: then they are known by what was sent, where and when. */
const idOf = ({ conversionId, form_id, submittedAt, values }: Rec) =>
  conversionId ??
  createHash('sha256')
    .update(JSON.stringify([form_id, submittedAt, values]))
    .digest('hex')

const instant = (ms: unknown) => (typeof ms === 'number' ? new Date(ms).toISOString() : ms)

/** An opaque offset, which is given on the last page, too. */
const byOffset: Paginator = {
  ...cursorParameter('events', 'offset', 'offset'),
  next: ({ hasMore, offset }) => (hasMore === true ? String(offset) : undefined),
}

export const marketing = {
  marketing_emails: {
    ...small,
    description: 'E-mails of marketing, with their figures up to now.',
    key: ['id'],
    fields: fields.email,
    record: (raw) => raw,
    passes: [
      {
        // Figures grow for weeks and move no date of the e-mail: a range of `updatedAt` would freeze them.
        slicing: { by: 'all' },
        ask: (_, { http }) => ({ path: path(http, 'emails'), query: { includeStats: true, limit: 100 } }),
        pages,
      },
    ],
  },
  campaigns: {
    ...small,
    description: 'Campaigns of marketing; hs_utm is the utm_campaign of their links.',
    key: ['id'],
    fields: fields.campaign,
    record: ({ properties, ...rest }) => ({ ...rest, ...(properties as Rec) }),
    passes: [
      {
        slicing: { by: 'all' },
        // Nothing comes that is not asked for by name.
        ask: (_, { http }) => ({ path: path(http, 'campaigns'), query: { limit: 100, properties: fields.campaignProperties.join(',') } }),
        pages,
      },
    ],
  },
  forms: {
    ...small,
    description: 'Forms of every kind.',
    key: ['id'],
    fields: fields.form,
    record: (raw) => raw,
    passes: [{ slicing: { by: 'all' }, ask: (_, { http }) => allForms(http), pages }],
  },
  form_submissions: {
    description: 'What people sent with forms. It names no contact: join on the e-mail address among the values.',
    key: ['form_id', 'id'],
    fields: fields.submission,
    mode: 'merge',
    modes: ['merge', 'append'],
    parallel: 2,
    cursor: { field: 'submitted_at', ordered: false },
    record: (raw) => ({
      form_id: raw.form_id,
      id: idOf(raw),
      submitted_at: instant(raw.submittedAt),
      page_url: raw.pageUrl,
      values: raw.values,
    }),
    passes: [{ slicing: { by: 'time', lookbackMs: hour, lagMs: 0, first: 'whole', parents: formIds }, read: submissions }],
  },
  email_events: {
    description: 'What became of each e-mail of marketing: sent, delivered, opened, clicked, bounced …',
    // The id alone is not said to be unique.
    key: ['id', 'created'],
    fields: fields.emailEvent,
    mode: 'merge',
    modes: ['merge', 'append'],
    cursor: { field: 'created', ordered: false },
    record: ({ created, ...rest }) => ({ ...rest, created: instant(created) }),
    passes: [
      {
        slicing: { by: 'time', days: 7, lookbackMs: day, lagMs: 0, first: 'whole' },
        ask: ({ from, to }, { http }) => ({
          path: path(http, 'emailEvents'),
          query: { limit: 1_000, startTimestamp: from && Date.parse(from), endTimestamp: Date.parse(to!) },
        }),
        pages: byOffset,
      },
    ],
  },
} satisfies Record<string, DeclaredStream>
