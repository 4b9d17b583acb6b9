import { asFailure, Failure } from '../../src/core/failure.js'
import { dayMs } from '../../src/core/slices.js'
import type { Fields, Http, Page, ReadContext, Rec, Slice } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { adAccounts, path } from './api.js'
import { insight, namesOf } from './fields.js'
import { finished, submit } from './jobs.js'
import { pages, sparing } from './pages.js'

/** Reports by day. Days are those of the ad account; a slice's midnights in UTC stand for them. */

export const levels = ['account', 'campaign', 'adset', 'ad'] as const
export type Level = (typeof levels)[number]

export interface Report {
  description: string
  level: Level
  /** Figures and names to ask for; the level's ids come in any case. */
  fields: readonly string[]
  breakdowns?: readonly string[]
  /** They split the lists of actions, not the rows. */
  actionBreakdowns?: readonly string[]
  windows?: readonly string[]
  isDefault?: boolean
}

/** Meta restates a day for so long, then it is frozen. */
const restatedDays = 28
/** Reports go back 37 months. */
const keptDays = 1_123
const rowsAPage = 500
/** A job that did not end well is submitted once more; after that the slice is cut. */
const submissions = 2
/** Values in the `value` of actions follow each ad set's own setting; these stand beside it. 7d_view and 28d_view are empty since 2026-01-12. */
export const usualWindows = ['1d_click', '7d_click', '28d_click', '1d_view'] as const

const idsOf: Record<Level, readonly string[]> = {
  account: [],
  campaign: ['campaign_id'],
  adset: ['campaign_id', 'adset_id'],
  ad: ['campaign_id', 'adset_id', 'ad_id'],
}

/** A breakdown by an asset comes as an object with an id. */
const isAsset = (breakdown: string) => breakdown.endsWith('_asset')
const columnOf = (breakdown: string) => (isAsset(breakdown) ? `${breakdown}_id` : breakdown)
/** In place of a breakdown that a row lacks: part of the key, and no value of Meta's. */
const lacking = '(none)'

export function report({
  description,
  level,
  fields,
  breakdowns = [],
  actionBreakdowns = [],
  windows = usualWindows,
  isDefault,
}: Report): DeclaredStream {
  const always = ['date_start', 'date_stop', 'account_id', 'account_currency', ...idsOf[level]]
  const added: Fields = {
    ...Object.fromEntries(breakdowns.map((name) => [columnOf(name), { type: 'text' }])),
    ...Object.fromEntries(breakdowns.filter(isAsset).map((name) => [name, { type: 'json' }])),
    account_timezone_name: { type: 'text' },
  }
  const declared = Object.fromEntries([...always, ...fields].map((name) => [name, insight[name] ?? { type: 'json' }])) as Fields
  const own = [...Object.keys(added), 'date_start', 'date_stop']
  const question = (context: ReadContext) => ({
    level,
    fields: namesOf(context.fields, own)
      .filter((name) => name in declared)
      .join(','),
    time_increment: 1,
    breakdowns,
    // Without it action_type is meant; beside others it must be named.
    action_breakdowns: actionBreakdowns.length === 0 ? [] : [...new Set(['action_type', ...actionBreakdowns])],
    action_attribution_windows: windows,
  })
  const keyed = (raw: Rec): Rec =>
    Object.fromEntries(breakdowns.map((name) => [columnOf(name), (isAsset(name) ? at(raw, `${name}.id`) : raw[name]) ?? lacking]))
  const finest = idsOf[level].at(-1)
  return {
    description,
    key: ['date_start', 'account_id', ...(finest === undefined ? [] : [finest]), ...breakdowns.map(columnOf)],
    fields: { ...declared, ...added },
    mode: 'replace_slice',
    modes: ['replace_slice', 'merge', 'append'],
    bounds: { parent: 'account_id', range: 'date_start' },
    cursor: { field: 'date_start', ordered: false },
    record: breakdowns.length === 0 ? (raw) => raw : (raw) => ({ ...raw, ...keyed(raw) }),
    parallel: 2,
    ...(isDefault === undefined ? {} : { isDefault }),
    passes: [
      {
        slicing: {
          by: 'time',
          days: 30,
          lookbackMs: restatedDays * dayMs,
          lagMs: 0,
          first: 'whole',
          parents: adAccounts,
          wholeDays: true,
          earliest,
          smallestMs: dayMs,
        },
        read: (context) => read(context, question(context)),
      },
    ],
  }
}

async function* read({ http, slice, resume }: ReadContext, question: Rec): AsyncIterable<Page> {
  const account = slice.parent!
  const known = await http.request({ path: path(http, `act_${account}`), query: { fields: 'timezone_name' }, payer: account })
  const zone = String(known.body.timezone_name)
  const range = daysOf(slice, zone, known.headers.date)
  if (!range) return yield { records: [] }

  let run = typeof resume?.run === 'string' ? resume.run : undefined
  let next = resume
  let submitted = Number(resume?.submitted ?? 0)
  for (let isFresh = false; ; ) {
    if (run === undefined) {
      run = await submit(http, account, { ...question, time_range: range })
      next = undefined
      yield { records: [], resume: { run, submitted: ++submitted }, isDurable: true }
      isFresh = true
    }
    const end = await finished(http, account, run, isFresh)
    if (end.isDone) break
    if (submitted >= submissions) {
      const days = `${range.since} to ${range.until}`
      throw new Failure('too_large', `Meta made no report of account ${account} for ${days} in ${submitted} tries: ${end.why}`)
    }
    run = undefined
  }

  const requests = () => [{ path: path(http, `${run}/insights`), query: { limit: rowsAPage }, payer: account }]
  for await (const { records, resume: rest } of walk({ http: sparing(http), paginator: pages, requests, resume: next }))
    yield {
      records: records.map((record) => ({ ...record, account_timezone_name: zone })),
      ...(rest === undefined ? {} : { resume: { ...rest, run, submitted } }),
    }
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** The days of a slice, today by the account's clock being the last that there is. The time is the vendor's own, from an answer of it. */
function daysOf({ from, to }: Slice, zone: string, told: string | undefined): { since: string; until: string } | undefined {
  const now = new Date(told ?? Number.NaN)
  // `sv` writes dates as ISO does.
  const today = Number.isNaN(now.getTime()) ? undefined : now.toLocaleDateString('sv', { timeZone: zone })
  const last = to === undefined ? today : dateOf(Date.parse(to) - 1)
  if (last === undefined) throw new Failure('transient', 'Meta answered without a date, so that the account’s day is not known.')
  const until = today !== undefined && today < last ? today : last
  const since = from === undefined ? dateOf(Date.parse(until) - (keptDays - 1) * dayMs) : from.slice(0, 10)
  return since > until ? undefined : { since, until }
}

/**
 * The day on which the account was made, or the oldest that is kept. Of one that is closed to the token only the latter is known: its
 * slices are planned and fail by themselves, so that other accounts are read, and all of it once it is open again.
 */
export async function earliest(http: Http, _from: string | undefined, account = ''): Promise<string | undefined> {
  const { made, kept } = await madeOf(http, account)
  if (kept !== undefined) return new Date(Math.max(made ?? kept, kept)).toISOString()
  for await (const other of adAccounts(http)) {
    const { kept: alike } = await madeOf(http, other)
    if (alike !== undefined) return new Date(alike).toISOString()
  }
  return undefined
}

/** When an account was made, and the oldest day of which there are reports, by the vendor's clock. */
async function madeOf(http: Http, account: string): Promise<{ made?: number; kept?: number }> {
  try {
    const { body, headers } = await http.request({ path: path(http, `act_${account}`), query: { fields: 'created_time' }, payer: account })
    const [made, now] = [Date.parse(String(body.created_time)), Date.parse(headers.date ?? '')]
    if (Number.isNaN(now)) throw new Failure('transient', 'Meta answered without a date, so that the first day is not known.')
    return { ...(Number.isNaN(made) ? {} : { made }), kept: now - (keptDays - 1) * dayMs }
  } catch (error) {
    if (asFailure(error).reason !== 'permission') throw error
    return {}
  }
}
