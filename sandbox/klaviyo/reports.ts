/** Reports: figures of campaigns, flows, forms and segments over a time, whole or day by day. Two a minute, 225 a day. */
import { day } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import { jsonObject, Refused, type Reply, type Request } from '../kit/http.js'
import { contentType, invalid, refusal } from './errors.js'
import { iso } from './rows.js'
import type { KlaviyoStore } from './store.js'

const R = place('klaviyo report')
const yearMs = 366 * day

type Groupings = Record<string, string>
interface Kind {
  scopes: readonly string[]
  /** Without `group_by`. */
  groups: readonly string[]
  /** Must be among them. */
  mustGroup: readonly string[]
  needsMetric: boolean
  statistics: readonly string[]
}

const words = (list: string) => list.split(' ')
const sent = words(
  'recipients delivered opens opens_unique clicks clicks_unique bounced unsubscribes conversions conversion_value open_rate click_rate',
)

export const reportKinds: Readonly<Record<'campaign' | 'flow' | 'form' | 'segment', Kind>> = {
  campaign: {
    scopes: ['campaigns:read'],
    groups: ['campaign_id', 'campaign_message_id', 'send_channel'],
    mustGroup: ['campaign_id', 'campaign_message_id'],
    needsMetric: true,
    statistics: sent,
  },
  flow: {
    scopes: ['flows:read'],
    groups: ['flow_id', 'flow_message_id', 'send_channel'],
    mustGroup: ['flow_id', 'flow_message_id'],
    needsMetric: true,
    statistics: sent,
  },
  form: {
    scopes: ['forms:read'],
    groups: ['form_id'],
    mustGroup: [],
    needsMetric: false,
    statistics: words('viewed_form viewed_form_uniques submits submit_rate closed_form'),
  },
  segment: {
    scopes: ['segments:read'],
    groups: ['segment_id'],
    mustGroup: [],
    needsMetric: false,
    statistics: words('total_members members_added members_removed net_members_changed'),
  },
}
export type ReportKind = keyof typeof reportKinds

type Json = Record<string, unknown>
const refuse = (detail: string, field: string) => new Refused(refusal(400, invalid(detail, { pointer: `/data/attributes/${field}` })))

export function report(store: KlaviyoStore, kind: ReportKind, isSeries: boolean, request: Request, nowMs: number): Reply {
  const type = `${kind}-${isSeries ? 'series' : 'values'}-report`
  const data = jsonObject(request)?.data as { type?: string; attributes?: Json } | undefined
  const given = data?.attributes
  if (data?.type !== type || given === undefined) throw refuse(`The type must be ${type}.`, 'type')
  const rules = reportKinds[kind]
  const statistics = given.statistics
  if (!Array.isArray(statistics) || statistics.length === 0) throw refuse('statistics is required.', 'statistics')
  for (const name of statistics)
    if (!rules.statistics.includes(String(name))) throw refuse(`'${name}' is not a valid statistic.`, 'statistics')
  if (rules.needsMetric && store.metrics.get(String(given.conversion_metric_id)) === undefined)
    throw refuse('conversion_metric_id is required.', 'conversion_metric_id')
  const groups = Array.isArray(given.group_by) ? given.group_by.map(String) : rules.groups
  if (!rules.mustGroup.every((name) => groups.includes(name)))
    throw refuse(`group_by must hold ${rules.mustGroup.join(' and ')}.`, 'group_by')
  if (isSeries && given.interval !== 'daily') throw refuse('interval is required; the sandbox knows daily alone.', 'interval')
  const { fromMs, toMs } = timeframe(given.timeframe as Json | undefined, nowMs)
  const days = isSeries ? daysOf(fromMs, Math.min(toMs, nowMs)) : []
  const results = rowsOf(store, kind, fromMs, toMs).map((all) => {
    const groupings = Object.fromEntries(groups.map((name) => [name, all[name] ?? null]))
    const id = Object.values(all).join(' ')
    const whole = figures(store.company.times.seed, kind, id, 0)
    const daily = days.map((ms) => figures(store.company.times.seed, kind, id, ms))
    const value = (name: string) => (isSeries ? daily.map((one) => one[name]) : whole[name])
    return { groupings, statistics: Object.fromEntries(statistics.map((name) => [String(name), value(String(name))])) }
  })
  const attributes = { results, ...(isSeries ? { date_times: days.map(iso) } : {}) }
  return { status: 200, body: { data: { type, attributes }, links: { self: `${request.origin}${request.url}` } }, contentType }
}

function timeframe(given: Json | undefined, nowMs: number): { fromMs: number; toMs: number } {
  if (given?.key === 'last_365_days') return { fromMs: nowMs - 365 * day, toMs: nowMs }
  if (given?.key === 'last_30_days') return { fromMs: nowMs - 30 * day, toMs: nowMs }
  const fromMs = Date.parse(String(given?.start))
  const toMs = Date.parse(String(given?.end))
  if (Number.isNaN(fromMs) || Number.isNaN(toMs) || fromMs > toMs) throw refuse('timeframe needs a key, or start and end.', 'timeframe')
  if (toMs - fromMs > yearMs) throw refuse('The maximum length of a timeframe is 1 year.', 'timeframe')
  return { fromMs, toMs }
}

function daysOf(fromMs: number, toMs: number): number[] {
  const first = Math.floor(fromMs / day) * day
  return Array.from({ length: Math.floor((toMs - first) / day) + 1 }, (_, i) => first + i * day)
}

/** What has figures in that time: of campaigns, those that were sent in it. */
function rowsOf(store: KlaviyoStore, kind: ReportKind, fromMs: number, toMs: number): Groupings[] {
  switch (kind) {
    case 'campaign':
      return [...store.campaigns.values()]
        .filter(({ more }) => typeof more.send_time === 'number' && more.send_time >= fromMs && more.send_time < toMs)
        .map(({ id, more }) => ({ campaign_id: id, campaign_message_id: String(more.message), send_channel: String(more.channel) }))
    case 'flow':
      return [...store.shelf.actions].flatMap(([flow, actions]) =>
        [...actions.values()].flatMap(({ id }) =>
          [...(store.shelf.messages.get(id)?.values() ?? [])].map((message) => ({
            flow_id: flow,
            flow_message_id: message.id,
            send_channel: 'email',
          })),
        ),
      )
    case 'form':
      return [...store.shelf.forms.values()].map(({ id }) => ({ form_id: id }))
    default:
      return [...store.segments.values()].map(({ id }) => ({ segment_id: id }))
  }
}

/** The same for the same row and day, whoever asks and when. */
function figures(seed: number, kind: ReportKind, id: string, dayMs: number): Record<string, number> {
  const dice = new Dice(seed, R, place(id), Math.floor(dayMs / day))
  const most = dice.below(900)
  const part = (share: number) => Math.floor(most * share * dice.next())
  if (kind === 'form')
    return { viewed_form: most, viewed_form_uniques: part(0.9), submits: part(0.2), submit_rate: dice.next(), closed_form: part(0.5) }
  if (kind === 'segment') {
    const [members_added, members_removed] = [part(0.1), part(0.1)]
    return { total_members: most, members_added, members_removed, net_members_changed: members_added - members_removed }
  }
  const opens = part(0.6)
  return {
    recipients: most,
    delivered: most,
    opens,
    opens_unique: Math.floor(opens * 0.7),
    clicks: part(0.2),
    clicks_unique: part(0.1),
    bounced: part(0.02),
    unsubscribes: part(0.01),
    conversions: part(0.05),
    conversion_value: Math.round(dice.next() * 90_000) / 100,
    open_rate: most === 0 ? 0 : opens / most,
    click_rate: dice.next() / 10,
  }
}

/** Counts of one metric's events by day; without groups there is one row of figures. */
export function aggregates(store: KlaviyoStore, request: Request, nowMs: number): Reply {
  const given = (jsonObject(request)?.data as { attributes?: Json } | undefined)?.attributes ?? {}
  const metric = String(given.metric_id)
  if (store.metrics.get(metric) === undefined) throw refuse('metric_id is required.', 'metric_id')
  if (!Array.isArray(given.measurements) || given.measurements.length === 0) throw refuse('measurements is required.', 'measurements')
  if (given.interval !== undefined && given.interval !== 'day') throw refuse('The sandbox knows the interval day alone.', 'interval')
  const bound = (operator: string) => {
    const found = (Array.isArray(given.filter) ? given.filter : []).map(
      (one) => new RegExp(`^${operator}\\(datetime,(.+)\\)$`).exec(String(one))?.[1],
    )
    const ms = Date.parse(found.find((one) => one !== undefined) ?? '')
    if (Number.isNaN(ms)) throw refuse(`filter must contain ${operator}(datetime,…).`, 'filter')
    return ms
  }
  const [fromMs, toMs] = [bound('greater-or-equal'), bound('less-than')]
  const days = daysOf(fromMs, Math.min(toMs - 1, nowMs))
  const measured = measure(store, metric, days, fromMs, toMs)
  const measurements = Object.fromEntries(given.measurements.map((name) => [String(name), measured[String(name)]]))
  const attributes = { dates: days.map(iso), data: [{ dimensions: [], measurements }] }
  const data = { type: 'metric-aggregate', id: metric, attributes, links: { self: `${request.origin}${request.url}` } }
  return { status: 200, body: { data, links: { self: `${request.origin}${request.url}` } }, contentType }
}

function measure(store: KlaviyoStore, metric: string, days: readonly number[], fromMs: number, toMs: number): Record<string, number[]> {
  const events = [...store.events.values()].filter((row) => row.metric === metric && row.atMs >= fromMs && row.atMs < toMs)
  const byDay = days.map((ms) => events.filter(({ atMs }) => atMs >= ms && atMs < ms + day))
  return {
    count: byDay.map((rows) => rows.length),
    unique: byDay.map((rows) => new Set(rows.map(({ profile }) => profile)).size),
    sum_value: byDay.map((rows) => Math.round(rows.reduce((sum, { activity }) => sum + (activity.value ?? 0), 0) * 100) / 100),
  }
}

export type ReportTruth = Record<`${ReportKind}_values` | `${Exclude<ReportKind, 'campaign'>}_series` | 'metric_days', () => Json[]>

/** What reports hold: of the last year a row for each group, and since the company's beginning one for each day of it. */
export function reportTruth(store: KlaviyoStore, now: () => number): ReportTruth {
  const { seed, foundedMs } = store.company.times
  const idOf = (all: Groupings) => Object.values(all).join(' ')
  const dateOf = (ms: number) => iso(ms).slice(0, 10)
  const values = (kind: ReportKind) => () =>
    rowsOf(store, kind, now() - 365 * day, now()).map((all) => ({ ...all, ...figures(seed, kind, idOf(all), 0) }))
  const series = (kind: ReportKind) => () =>
    rowsOf(store, kind, foundedMs, now()).flatMap((all) =>
      daysOf(foundedMs, now()).map((ms) => ({ ...all, date: dateOf(ms), ...figures(seed, kind, idOf(all), ms) })),
    )
  return {
    campaign_values: values('campaign'),
    flow_values: values('flow'),
    form_values: values('form'),
    segment_values: values('segment'),
    flow_series: series('flow'),
    form_series: series('form'),
    segment_series: series('segment'),
    metric_days: () => {
      const days = daysOf(foundedMs, now())
      return [...store.metrics.values()].flatMap(({ id: metric_id }) => {
        const measured = Object.entries(measure(store, metric_id, days, foundedMs, now() + day))
        return days.map((ms, i) => ({ metric_id, date: dateOf(ms), ...Object.fromEntries(measured.map(([name, all]) => [name, all[i]])) }))
      })
    },
  }
}
