/**
 * The keys of a project file, as zod types. Their descriptions become docs/reference/config.md and the JSON Schema for editors.
 * What only another key can decide (does a name exist, has a stream a cursor) is decided in the compiling files.
 */
import * as z from 'zod'
import { alertKinds } from '../core/alerts.js'
import type { ColumnAction } from '../core/definition.js'
import { nearOrAll, shown } from './errors.js'
import { duration, isTimezone, percent, rate } from './units.js'

const later = (key: string): string => `${shown(key)} is not supported by this version of Weir`

/** A map with just these keys. `planned` ones are refused with that reason, others with a near or the allowed ones; a line a key. */
export function keys<S extends z.ZodRawShape>(shape: S, planned: readonly string[] = []): z.ZodObject<S, z.core.$strict> {
  const unknown = (key: string): string =>
    planned.includes(key) ? later(key) : `unknown key ${shown(key)}; ${nearOrAll(key, Object.keys(shape), 'allowed here')}`
  return z
    .strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map(unknown).join('\n') : undefined) })
    .meta({ kind: 'map' })
}

/** Text that `parse` understands; `kind` is its name in the reference. */
function worded<T>(kind: string, expected: string, parse: (text: string) => T | undefined): z.ZodType<T, string> {
  const type = z.string({ error: `expected ${expected}` }).transform((text, context): T => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `expected ${expected}`, params: { found: true } })
    return z.NEVER
  })
  return type.meta({ kind }) as z.ZodType<T, string>
}

export const text = (expected = 'text') =>
  z
    .string({ error: `expected ${expected}` })
    .min(1, 'must not be empty')
    .meta({ kind: 'text' })
/** A number, also as the text that a reference gives. */
export const whole = (min: number, max: number) =>
  z
    .preprocess((value) => (typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : value), z.int().min(min).max(max))
    .meta({ kind: `whole number, ${min} to ${max}` })
/** The same of true and false. */
export const yesNo = () =>
  z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean()).meta({ kind: 'true or false' })

/** One of these words, which are all that people need to be told. */
export function oneOf<const W extends readonly string[]>(...words: W) {
  const all = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return z.enum(words, { error: `expected ${all}` }).meta({ kind: all })
}

const minute = 60_000
const hour = 60 * minute

export const aDuration = (minMs = 0, expected = 'a duration such as 15m, 6h or 30d') =>
  worded('duration', expected, (value) => {
    const ms = duration(value)
    return ms !== undefined && ms >= minMs ? ms : undefined
  })

const timezone = worded('time zone', 'a time zone such as Europe/Berlin or UTC', (value) => (isTimezone(value) ? value : undefined))

export const share = (expected: string) =>
  z
    .union([z.number(), z.string()], { error: `expected ${expected}` })
    .transform((value, context) => {
      const found = percent(value)
      if (found === undefined) context.addIssue({ code: 'custom', message: 'expected a percentage from 0 to 100, such as 0.5' })
      return found ?? z.NEVER
    })
    .meta({ kind: 'percentage' })

export const deadLetters = keys({
  max_rows: whole(0, 1_000_000_000).optional().describe('More dead letters than this in one run of a stream, and it fails. Default 1000.'),
  max_percent: share('a percentage such as 0.5')
    .optional()
    .describe('A larger share of the records read, in percent, and the run of the stream fails. Default 0.5.'),
  retention: aDuration(hour, 'a duration of at least 1h, such as 90d')
    .optional()
    .describe('Letters leave when they were closed, or while open last met, so long ago. Default: closed ones after 90d, open ones never.'),
  encrypt: yesNo().optional().describe('Are records in dead letters encrypted with WEIR_KEY? Default false.'),
})

/** Settings of streams which also stand higher up: in `defaults`, a connection, a sync. They reach the streams that have a cursor. */
const reading = {
  start: text('a date such as 2024-01-01, or a number of days back such as -90d')
    .meta({ kind: 'ISO date, ISO instant or days back' })
    .optional()
    .describe('Nothing older is read: a date (2024-01-01, midnight in the time zone), an instant, or so many days before the run (-90d).'),
  lookback: aDuration()
    .optional()
    .describe("How far before the watermark each run reads again, for records that come late. Default: the connector's."),
  slice: aDuration(hour, 'a duration of at least 1h, such as 7d')
    .optional()
    .describe("Length of the pieces in which time is read. Default: the connector's."),
  parallel: whole(1, 64).optional().describe("Slices of one stream read at once. Default: the connector's."),
}

/** What happens when the source changes. */
const evolving = {
  on_schema_change: oneOf('evolve', 'capture', 'approve', 'freeze')
    .optional()
    .describe(
      'What happens to a field without a column, or a value of another type: a column is added (evolve, the default), the value is kept in _weir_extra (capture), kept there until somebody decides (approve), or the stream stops (freeze).',
    ),
  max_shrink: share('a percentage such as 50%')
    .optional()
    .describe(
      'Mode replace: a snapshot that is smaller than the table by more than this does not take its place, nor does an empty one. Default 50%.',
    ),
}

const deletions = oneOf('read', 'off')
  .optional()
  .describe(
    'Where the vendor must be asked for deleted records apart: `off` saves those requests, and rows of deleted records stay unmarked. Default read.',
  )

const kinds = alertKinds.join(', ')

export const email = keys({
  to: z
    .array(text('an address, or a reference to one'), { error: 'expected a list of addresses' })
    .min(1, 'expected at least one address')
    .max(50)
    .meta({ kind: 'list of addresses' })
    .describe('Who gets it. An address that is written as a reference stands in no table.'),
  from: text('an address, or a reference to one').meta({ kind: 'address' }).describe('The sender.'),
  smtp: text('an address such as smtps://user:password@smtp.example.com:465')
    .meta({ kind: 'reference' })
    .describe('The mail server, as a reference: smtps://…, or smtp://…, where TLS (STARTTLS) is demanded unless it is on this machine.'),
})

/** An entry of `alerts`. */
export const alertTarget = keys({
  webhook: text('a reference to an address, such as "${ALERT_WEBHOOK}"')
    .meta({ kind: 'reference' })
    .optional()
    .describe('Gets each message as JSON, by POST. The address is a reference, since it holds a token; https, or http on this machine.'),
  slack: text('a reference to an address, such as "${SLACK_WEBHOOK}"')
    .meta({ kind: 'reference' })
    .optional()
    .describe('An incoming webhook of Slack, or of what understands the same.'),
  email: email.optional().describe('People, by a mail server.'),
  on: z
    .array(z.enum(alertKinds, { error: `expected one of ${kinds}` }), { error: `expected a list of ${kinds}` })
    .min(1, 'expected at least one word')
    .meta({ kind: `list of ${kinds}` })
    .optional()
    .describe('What is told. Default: all.'),
  repeat: aDuration(minute, 'a duration of at least 1m, such as 24h')
    .optional()
    .describe('What is still so is said again after so long. Default 24h.'),
  quota_wait: aDuration(0).optional().describe("A wait for a vendor's quota is told when it is longer than this. Default 30m."),
  allow_private_hosts: yesNo().optional().describe('May the address lie in a private network?'),
})

export const freshness = z
  .union(
    [
      z.literal('off'),
      keys({
        warn: aDuration(minute, 'a duration of at least 1m, such as 4h').optional().describe('Older, and a warning is given.'),
        fail: aDuration(minute, 'a duration of at least 1m, such as 12h').optional().describe('Older, and it is an error.'),
      }),
    ],
    { error: 'expected { warn: 4h, fail: 12h }, or off' },
  )
  .meta({ kind: '{ warn, fail } as durations, or off' })
const freshnessOf = freshness
  .optional()
  .describe('How old may be what is complete in a table? Older is `stale`: { warn: 4h, fail: 12h }, one of them, or off. Default off.')

export const alertTargets = z
  .array(alertTarget, { error: 'expected a list of targets, such as "- webhook: "${ALERT_WEBHOOK}""' })
  .max(20)
  .meta({ kind: 'list of targets' })

/** What cascades: built-in, `defaults`, connection, sync. */
const cascading = {
  timezone: timezone.optional().describe('Time zone of dates without an offset and of schedules. Default UTC.'),
  concurrency: whole(1, 32).optional().describe('Streams of one sync read at once. Default 4.'),
  dead_letters: deadLetters.optional().describe('How many records may be set aside before a run fails.'),
  alerts: alertTargets
    .optional()
    .describe('Whom to tell of what. A list stands for itself: it replaces those further out; `[]` means nobody. Default: nobody.'),
  freshness: freshnessOf,
  ...evolving,
  deletions,
  ...reading,
}

const columnAction = z
  .union(
    [
      z.enum(['drop', 'hash', 'mask']),
      keys({ hash: z.literal('sha256', { error: 'expected "sha256"' }).describe('HMAC-SHA-256, with a key derived from WEIR_KEY.') }),
    ],
    { error: 'expected drop, mask, hash or { hash: sha256 }' },
  )
  .transform((action): ColumnAction => (typeof action === 'string' ? action : 'hash'))

/** What is kept of records; in `defaults`, a sync and a stream. */
const kept = {
  columns: z
    .record(z.string(), columnAction, { error: 'expected fields as keys, such as "email: mask"' })
    .meta({ kind: 'map by field' })
    .optional()
    .describe('What becomes of fields before anything is written, by their names or a dotted path into one: drop, mask, hash.'),
  raw: oneOf('keep', 'off')
    .optional()
    .describe('Keep each record as it was read, after `columns`, beside its row in `_weir_raw`: what `weir rebuild` reads. Default off.'),
}

const cron = text('a cron expression of five fields, such as "15 */2 * * *"').meta({ kind: 'cron expression' })

export const schedule = keys({
  cron: cron.describe('Five fields: minute, hour, day of month, month, day of week.'),
  jitter: aDuration().optional().describe('Start up to so much later, so that not everything starts at once.'),
  catch_up: aDuration(10_000, 'a duration of at least 10s, such as 6h')
    .optional()
    .describe('After an outage of Temporal, start what was missed if it is not older than this. Default 1d.'),
  timezone: timezone.optional().describe('Time zone of the expression. Default: that of the sync, or of `defaults`.'),
})

const when = {
  every: aDuration(minute, 'a duration of at least 1m, such as 15m')
    .optional()
    .describe('How often the sync runs, counted from midnight UTC on 1970-01-01. Either this or `schedule`.'),
  schedule: schedule.optional().describe('When the sync runs, by the clock.'),
}

export const syncNames = z
  .array(text('a sync, such as sync/shop'), { error: 'expected a list of syncs, such as [sync/shop]' })
  .min(1, 'name at least one sync, such as sync/shop')
  .meta({ kind: 'list of syncs' })
const after = syncNames
  .optional()
  .describe('Run when each of these syncs (`sync/NAME`) has completed since its own last run, instead of by the clock.')

/** Judged where it is compiled: quality.ts. */
const quality = (what: string) =>
  z
    .array(z.unknown(), { error: 'expected a list of checks, such as "- unique: id"' })
    .meta({ kind: 'list of checks' })
    .optional()
    .describe(what)
const qualityOfAll = quality('Checks of the table of every stream, after each run. A stream with a list of its own has only that one.')

export const defaults = keys({ ...when, ...cascading, ...kept, quality: qualityOfAll })

const streamShape = {
  mode: text('a sync mode')
    .meta({ kind: 'merge, append, replace, replace_slice or history' })
    .optional()
    .describe("How rows are kept: one of the modes that the stream offers. Default: the stream's own."),
  ...evolving,
  deletions,
  dead_letters: deadLetters.optional().describe("What differs from the sync's."),
  freshness: freshnessOf,
  ...reading,
  ...kept,
  quality: quality("What is checked of the stream's table after each run."),
}
const plannedOfStream = ['query', 'key']
export const stream = keys(streamShape, plannedOfStream)

/** The same with keys of a vendor's, which are judged by the vendor's own types. */
export const streamWith = (own: readonly string[]) =>
  keys(
    { ...Object.fromEntries(own.map((key) => [key, z.unknown().optional()])), ...streamShape },
    plannedOfStream.filter((key) => !own.includes(key)),
  )

export const sync = keys({
  from: text('the name of a connection').meta({ kind: 'name' }).describe('The connection to read from.'),
  schema: text('the name of a schema')
    .meta({ kind: 'name' })
    .optional()
    .describe("Warehouse schema of the tables. Default: the sync's name."),
  ...when,
  after,
  ...cascading,
  ...kept,
  quality: qualityOfAll,
  streams: z
    .record(z.string(), z.unknown(), { error: 'expected streams as keys, such as "events: {}"' })
    .meta({ kind: 'map by name' })
    .optional()
    .describe('Exactly what is read. Without it the connector\'s default set is; `"*": {}` beside others means the default set too.'),
})

const requests = worded('rate', 'a rate such as 100/10s', rate)
export const budget = keys({
  requests: requests
    .optional()
    .describe("Requests an account may spend, such as 100/10s. Default: the connector's, from the vendor's documents."),
  per_day: whole(1, 1_000_000_000).optional().describe('Requests a day.'),
  concurrency: whole(1, 1000).optional().describe('Requests at once.'),
  backfill_share: share('a percentage such as 30%')
    .optional()
    .describe('What a backfill gets of the budget while a sync waits; alone, either takes it all. Default: 30%.'),
})

/** Keys that every connection takes beside its vendor's own. */
export const connection = keys({
  type: text('the type of a connection').describe('The vendor.'),
  base_url: text('an address such as https://a.example.com')
    .meta({ kind: 'address' })
    .optional()
    .describe('Where to call instead of the vendor: https, or http on this machine (the sandbox).'),
  api_version: text('a version in quotes')
    .optional()
    .describe("The vendor's API version. Default: the one that the connector was built for."),
  budget: z
    .union([z.literal('off'), budget])
    .meta({ kind: 'map, or off' })
    .optional()
    .describe("What replaces the connector's request budget; `off` on this machine only."),
  owner: text().optional().describe('Whom to ask about this connection.'),
  allow_private_hosts: yesNo().optional().describe('May its addresses lie in private networks?'),
  ...cascading,
})

export const warehouse = keys({
  type: z
    .literal('postgres', { error: 'expected "postgres", the only warehouse of this version' })
    .meta({ kind: 'postgres' })
    .optional()
    .describe('The kind of database. Default postgres.'),
  url: text('a postgres:// address')
    .meta({ kind: 'address' })
    .optional()
    .describe('Its address, or `embedded`: the server that `weir dev` starts. Default: WAREHOUSE_URL, else embedded.'),
})

export const temporal = keys({
  address: text('an address such as localhost:7233')
    .optional()
    .describe("Host and port of Temporal. Default: TEMPORAL_ADDRESS, else `weir dev`'s own."),
  namespace: text().optional().describe('Temporal namespace. Default: TEMPORAL_NAMESPACE, else default.'),
})

const named = (expected: string) => z.record(z.string(), z.unknown(), { error: `expected ${expected}` }).meta({ kind: 'map by name' })

export const project = keys(
  {
    version: z
      .literal(1, { error: 'expected 1, the version of the file format' })
      .meta({ kind: '1' })
      .describe('Version of the file format: 1.'),
    name: text().meta({ kind: 'name' }).optional().describe('Name of the project. Default weir.'),
    warehouse: warehouse.optional().describe('Where the tables go.'),
    temporal: temporal.optional().describe('Where runs are recorded and driven.'),
    include: z
      .union([z.string(), z.array(z.string())])
      .meta({ kind: 'path or list of paths' })
      .optional()
      .describe('More files of the project: paths or globs, relative to the file that names them.'),
    defaults: defaults.optional().describe('Settings of all syncs; connections, syncs and streams override them.'),
    environments: named('environments by name').optional().describe('Overlays by name: what differs under `--env NAME`, merged deeply.'),
    connections: named('connections by name').optional().describe('Vendors and the credentials for them, by name.'),
    syncs: named('syncs by name')
      .optional()
      .describe('Which streams of a connection go into which schema, in which mode and when, by name.'),
    models: named('models by name').optional().describe('SQL that yields people, by name.'),
    audiences: named('audiences by name').optional().describe('Whom to keep at which destinations, by name.'),
  },
  ['alerts', 'suppressions', 'quality', 'freshness'],
)

/** Keys that an environment may change; their values are judged where they are laid over the rest. */
export const overlay = keys({
  warehouse: z.unknown().optional(),
  temporal: z.unknown().optional(),
  defaults: z.unknown().optional(),
  connections: named('connections by name').optional(),
  syncs: named('syncs by name').optional(),
  models: named('models by name').optional(),
  audiences: named('audiences by name').optional(),
})
