import { type Broken, head, whole } from './broken.js'

/** One sync with these lines, the first of them on line 6. */
const sync = (...lines: string[]) => `${head}syncs:\n  klaviyo:\n${lines.map((line) => `    ${line}\n`).join('')}`
const klaviyo = (...lines: string[]) => sync('from: klaviyo', ...lines)
const streams = (...lines: string[]) => klaviyo('streams:', ...lines.map((line) => `  ${line}`))

/** The file's outermost keys, syncs, streams, schedules, environments. */
export const syncs: Broken[] = [
  { name: 'no version', files: whole.replace('version: 1\n', ''), lines: ['weir.yaml:1:1: "version" is missing'] },
  {
    name: 'another version',
    files: whole.replace('version: 1', 'version: 2'),
    lines: ['weir.yaml:1:10: version: expected 1, the version of the file format, found 2'],
  },
  {
    name: 'a version that is a text',
    files: whole.replace('version: 1', 'version: "1"'),
    lines: ['weir.yaml:1:10: version: expected 1, the version of the file format, found "1"'],
  },
  {
    name: 'nothing but a version',
    files: 'version: 1\n',
    lines: [
      'weir.yaml:1:1: "connections" is missing; name at least one vendor to read from',
      'weir.yaml:1:1: "syncs" is missing; name at least one sync, such as "name: { from: name }"',
    ],
  },
  {
    name: 'typos in outermost keys',
    files: `${whole}sync: {}\ndefault: {}\nenviroments: {}\n`,
    lines: [
      'weir.yaml:6:1: sync: unknown key "sync"; did you mean "syncs"?',
      'weir.yaml:7:1: default: unknown key "default"; did you mean "defaults"?',
      'weir.yaml:8:1: enviroments: unknown key "enviroments"; did you mean "environments"?',
    ],
  },
  {
    name: 'keys that come later',
    files: `${whole}suppressions: {}\n`,
    lines: ['weir.yaml:6:1: suppressions: "suppressions" is not supported by this version of Weir'],
  },
  {
    name: 'a project name with spaces',
    files: `${whole}name: Acme Marketing\n`,
    lines: ['weir.yaml:6:7: name: a project name is a lower-case letter, then letters, digits, "_" and "-", at most 48 in all'],
  },
  { name: 'a project name that is a number', files: `${whole}name: 42\n`, lines: ['weir.yaml:6:7: name: expected text, found 42'] },
  {
    name: 'another warehouse',
    files: `${whole}warehouse: { type: snowflake, url: embedded }\n`,
    lines: ['weir.yaml:6:20: warehouse.type: expected "postgres", the only warehouse of this version'],
  },
  {
    name: 'a warehouse at a strange address',
    files: `${whole}warehouse: { url: "mysql://u:canary@db/x" }\n`,
    lines: ['weir.yaml:6:19: warehouse.url: expected "embedded" or a postgres:// address'],
  },
  {
    name: 'a warehouse with its password in the file',
    files: `${whole}warehouse: { url: "postgres://u:canary@db.example.com/x" }\n`,
    lines: [
      'weir.yaml:6:19: warehouse.url: a password stands in the file; put the address in the environment or .env, and write "${WAREHOUSE_URL}" here',
    ],
  },
  {
    name: 'a warehouse that is a text',
    files: `${whole}warehouse: embedded\n`,
    lines: ['weir.yaml:6:12: warehouse: expected a map of keys'],
  },
  {
    name: 'a typo in temporal',
    files: `${whole}temporal: { adress: "localhost:7233" }\n`,
    lines: ['weir.yaml:6:13: temporal.adress: unknown key "adress"; did you mean "address"?'],
  },
  {
    name: 'an address of the warehouse in the environment that is none',
    files: whole,
    given: { env: { KEY: 'pk_1', WAREHOUSE_URL: 'mysql://canary' } },
    lines: ['weir.yaml:1:1: WAREHOUSE_URL: expected "embedded" or a postgres:// address'],
  },
  {
    name: 'a connection that does not exist',
    files: sync('from: klavio'),
    lines: ['weir.yaml:6:11: syncs.klaviyo.from: no connection "klavio"; did you mean "klaviyo"?'],
  },
  {
    name: 'a connection like no other',
    files: sync('from: salesforce'),
    lines: ['weir.yaml:6:11: syncs.klaviyo.from: no connection "salesforce"; connections: klaviyo'],
  },
  { name: 'no connection', files: sync('every: 15m'), lines: ['weir.yaml:6:5: syncs.klaviyo: "from" is missing'] },
  {
    name: 'a sync that is a text',
    files: `${head}syncs:\n  klaviyo: klaviyo\n`,
    lines: ['weir.yaml:5:12: syncs.klaviyo: expected a map of keys; a sync has at least "from", the name of a connection'],
  },
  {
    name: 'a sync that is nothing',
    files: `${head}syncs:\n  klaviyo:\n`,
    lines: ['weir.yaml:5:3: syncs.klaviyo: expected a map of keys; a sync has at least "from", the name of a connection'],
  },
  {
    name: 'syncs that are a text',
    files: `${head}syncs: klaviyo\n`,
    lines: ['weir.yaml:4:8: syncs: expected syncs by name, found "klaviyo"'],
  },
  {
    name: 'a typo in a sync',
    files: klaviyo('evry: 15m'),
    lines: ['weir.yaml:7:5: syncs.klaviyo.evry: unknown key "evry"; did you mean "every"?'],
  },
  {
    name: 'keys of a sync that come later',
    files: klaviyo('on_schema_change: stop'),
    lines: ['weir.yaml:7:23: syncs.klaviyo.on_schema_change: expected evolve, capture, approve or freeze, found "stop"'],
  },
  {
    name: 'a sync name with a dash',
    files: `${head}syncs:\n  klaviyo-eu: { from: klaviyo }\n`,
    lines: ['weir.yaml:5:3: syncs["klaviyo-eu"]: a name is a lower-case letter, then letters, digits and "_", at most 48 in all'],
  },
  {
    name: 'a sync name of 49 letters',
    files: `${head}syncs:\n  ${'a'.repeat(49)}: { from: klaviyo }\n`,
    lines: [
      'weir.yaml:5:3: syncs.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: a name is a lower-case letter, then letters, digits and "_", at most 48 in all',
    ],
  },
  {
    name: 'a sync name that is a number',
    files: `${head}syncs:\n  1: { from: klaviyo }\n`,
    lines: ['weir.yaml:5:3: syncs.1: a name is a lower-case letter, then letters, digits and "_", at most 48 in all'],
  },
  {
    name: 'a schema with capitals',
    files: klaviyo('schema: Marketing'),
    lines: ['weir.yaml:7:13: syncs.klaviyo.schema: a schema is lower-case letters, digits and "_", at most 63 in all'],
  },
  {
    name: 'a schema of the database',
    files: klaviyo('schema: pg_catalog'),
    lines: ['weir.yaml:7:13: syncs.klaviyo.schema: this schema belongs to the database or to Weir'],
  },
  {
    name: "Weir's own schema",
    files: klaviyo('schema: _weir'),
    lines: ['weir.yaml:7:13: syncs.klaviyo.schema: this schema belongs to the database or to Weir'],
  },
  {
    name: 'a schema that is an attack',
    files: klaviyo('schema: "x\\"; DROP TABLE y; --"'),
    lines: ['weir.yaml:7:13: syncs.klaviyo.schema: a schema is lower-case letters, digits and "_", at most 63 in all'],
  },
  {
    name: 'one table, two syncs',
    files: `${head}syncs:\n  a: { from: klaviyo, schema: k }\n  b: { from: klaviyo, schema: k, streams: { profiles: {} } }\n`,
    lines: ['weir.yaml:6:3: syncs.b: the table k.profiles is written by sync "a" too; give one of the two another schema'],
  },
  {
    name: 'an unknown stream',
    files: streams('event: {}'),
    lines: ['weir.yaml:8:7: syncs.klaviyo.streams.event: Klaviyo has no stream "event"; did you mean "events"?'],
  },
  {
    name: 'a stream named as an inherited property',
    files: streams('toString: {}'),
    lines: [
      'weir.yaml:8:7: syncs.klaviyo.streams.toString: Klaviyo has no stream "toString"; streams: events, profiles, metrics, campaign_values',
    ],
  },
  {
    name: 'no stream',
    files: klaviyo('streams: {}'),
    lines: ['weir.yaml:7:14: syncs.klaviyo.streams: no stream is named; leave "streams" out for the default set'],
  },
  {
    name: 'streams as a list',
    files: klaviyo('streams: [events]'),
    lines: ['weir.yaml:7:14: syncs.klaviyo.streams: expected streams as keys, such as "events: {}", found a list'],
  },
  {
    name: 'a stream that is a text',
    files: streams('events: merge'),
    lines: ['weir.yaml:8:15: syncs.klaviyo.streams.events: expected a map of keys, found "merge"'],
  },
  {
    name: 'an unknown mode',
    files: streams('events: { mode: upsert }'),
    lines: ['weir.yaml:8:23: syncs.klaviyo.streams.events.mode: stream "events" has no mode "upsert"; modes: merge, append, history'],
  },
  {
    name: 'a mode that the stream does not have',
    files: streams('metrics: { mode: merge }'),
    lines: ['weir.yaml:8:24: syncs.klaviyo.streams.metrics.mode: stream "metrics" has no mode "merge"; modes: replace'],
  },
  {
    name: 'a mode for all',
    files: streams('"*": { mode: merge }'),
    lines: ['weir.yaml:8:20: syncs.klaviyo.streams.*.mode: a mode is given to a stream by its name; not to "*"'],
  },
  {
    name: 'a typo in a stream',
    files: streams('events: { lookbak: 1h }'),
    lines: ['weir.yaml:8:17: syncs.klaviyo.streams.events.lookbak: unknown key "lookbak"; did you mean "lookback"?'],
  },
  {
    name: "a stream's keys that come later",
    files: streams('events: { key: id, query: SELECT }'),
    lines: [
      'weir.yaml:8:17: syncs.klaviyo.streams.events.key: "key" is not supported by this version of Weir',
      'weir.yaml:8:26: syncs.klaviyo.streams.events.query: "query" is not supported by this version of Weir',
    ],
  },
  {
    name: 'a start for a stream without a cursor',
    files: streams('metrics: { start: 2024-01-01, lookback: 1h }'),
    lines: [
      'weir.yaml:8:25: syncs.klaviyo.streams.metrics.start: stream "metrics" has no cursor: "start" would do nothing; leave it out',
      'weir.yaml:8:47: syncs.klaviyo.streams.metrics.lookback: stream "metrics" has no cursor: "lookback" would do nothing; leave it out',
    ],
  },
  {
    name: 'a start that is no date',
    files: streams('events: { start: 2024-02-30 }'),
    lines: [
      'weir.yaml:8:24: syncs.klaviyo.streams.events.start: expected a date such as 2024-01-01, or days back such as -90d, found "2024-02-30"',
    ],
  },
  {
    name: 'a start in the American order',
    files: streams('events: { start: 02/28/2024 }'),
    lines: [
      'weir.yaml:8:24: syncs.klaviyo.streams.events.start: expected a date such as 2024-01-01, or days back such as -90d, found "02/28/2024"',
    ],
  },
  {
    name: 'a start so many hours back',
    files: streams('events: { start: -90h }'),
    lines: [
      'weir.yaml:8:24: syncs.klaviyo.streams.events.start: expected a date such as 2024-01-01, or days back such as -90d, found "-90h"',
    ],
  },
  {
    name: 'a start in the future',
    files: streams('events: { start: 2062-01-01 }'),
    lines: ['weir.yaml:8:24: syncs.klaviyo.streams.events.start: the start lies in the future: nothing would be read'],
  },
  {
    name: 'a bad start in the defaults',
    files: `${whole}defaults: { start: yesterday }\n`,
    lines: ['weir.yaml:6:20: defaults.start: expected a date such as 2024-01-01, or days back such as -90d, found "yesterday"'],
  },
  {
    name: 'durations of other kinds',
    files: streams('events: { lookback: 15 minutes, slice: 7 }'),
    lines: [
      'weir.yaml:8:27: syncs.klaviyo.streams.events.lookback: expected a duration such as 15m, 6h or 30d, found "15 minutes"',
      'weir.yaml:8:46: syncs.klaviyo.streams.events.slice: expected a duration of at least 1h, such as 7d, found 7',
    ],
  },
  {
    name: 'a slice that is too short',
    files: streams('events: { slice: 1m }'),
    lines: ['weir.yaml:8:24: syncs.klaviyo.streams.events.slice: expected a duration of at least 1h, such as 7d, found "1m"'],
  },
  {
    name: 'a duration beyond all bounds',
    files: streams('events: { lookback: 999999999w }'),
    lines: ['weir.yaml:8:27: syncs.klaviyo.streams.events.lookback: expected a duration such as 15m, 6h or 30d, found "999999999w"'],
  },
  {
    name: 'a duration with a sign',
    files: klaviyo('every: -15m'),
    lines: ['weir.yaml:7:12: syncs.klaviyo.every: expected a duration of at least 1m, such as 15m, found "-15m"'],
  },
  {
    name: 'a sync every second',
    files: klaviyo('every: 1s'),
    lines: ['weir.yaml:7:12: syncs.klaviyo.every: expected a duration of at least 1m, such as 15m, found "1s"'],
  },
  {
    name: 'numbers out of bounds',
    files: klaviyo('concurrency: 0', 'parallel: 65', 'dead_letters: { max_rows: -1, max_percent: 101 }'),
    lines: [
      'weir.yaml:7:18: syncs.klaviyo.concurrency: must be at least 1, found 0',
      'weir.yaml:8:15: syncs.klaviyo.parallel: must be at most 64, found 65',
      'weir.yaml:9:31: syncs.klaviyo.dead_letters.max_rows: must be at least 0, found -1',
      'weir.yaml:9:48: syncs.klaviyo.dead_letters.max_percent: expected a percentage from 0 to 100, such as 0.5, found 101',
    ],
  },
  {
    name: 'numbers that are none',
    files: klaviyo('concurrency: many', 'parallel: 1.5', 'dead_letters: { max_rows: 1e400, max_percent: half }'),
    lines: [
      'weir.yaml:7:18: syncs.klaviyo.concurrency: expected a number, found "many"',
      'weir.yaml:8:15: syncs.klaviyo.parallel: expected a whole number, found 1.5',
      'weir.yaml:9:31: syncs.klaviyo.dead_letters.max_rows: expected a number, found "1e400"',
      'weir.yaml:9:51: syncs.klaviyo.dead_letters.max_percent: expected a percentage from 0 to 100, such as 0.5, found "half"',
    ],
  },
  {
    name: 'both every and schedule',
    files: klaviyo('every: 15m', 'schedule: { cron: "0 * * * *" }'),
    lines: ['weir.yaml:8:15: syncs.klaviyo.schedule: both "every" and "schedule" are given; keep one of them'],
  },
  {
    name: 'a cron expression of four fields',
    files: klaviyo('schedule: { cron: "* * * *" }'),
    lines: [
      'weir.yaml:7:23: syncs.klaviyo.schedule.cron: a cron expression has five fields (minute, hour, day, month, weekday), this one has 4',
    ],
  },
  {
    name: 'a cron expression with seconds',
    files: klaviyo('schedule: { cron: "0 0 * * * *" }'),
    lines: [
      'weir.yaml:7:23: syncs.klaviyo.schedule.cron: a cron expression has five fields (minute, hour, day, month, weekday), this one has 6',
    ],
  },
  {
    name: 'a minute 61',
    files: klaviyo('schedule: { cron: "61 * * * *" }'),
    lines: ['weir.yaml:7:23: syncs.klaviyo.schedule.cron: not a cron expression: invalid value for minute: 61'],
  },
  {
    name: 'the 31st of February',
    files: klaviyo('schedule: { cron: "0 0 31 2 *" }'),
    lines: ['weir.yaml:7:23: syncs.klaviyo.schedule.cron: this cron expression never comes due'],
  },
  {
    name: 'a cron expression with signs that Temporal does not know',
    files: klaviyo('schedule: { cron: "0 0 L * ?" }'),
    lines: ['weir.yaml:7:23: syncs.klaviyo.schedule.cron: a cron expression is made of numbers, names, "*", ",", "-" and "/"'],
  },
  {
    name: 'a cron expression with letters that croner alone knows',
    files: klaviyo('schedule: { cron: "0 0 L * *" }'),
    lines: ['weir.yaml:7:23: syncs.klaviyo.schedule.cron: not a cron expression: "L" is no number and no name of a month or weekday'],
  },
  {
    name: 'a day of the month and a weekday, which cron and Temporal read differently',
    files: klaviyo('schedule: { cron: "0 0 1 * MON" }'),
    lines: [
      'weir.yaml:7:23: syncs.klaviyo.schedule.cron: both a day of the month and a weekday are given: cron means either of them, Temporal both; keep one',
    ],
  },
  {
    name: 'a catch-up that Temporal would not keep',
    files: klaviyo('schedule: { cron: "0 * * * *", catch_up: 5s }'),
    lines: ['weir.yaml:7:46: syncs.klaviyo.schedule.catch_up: expected a duration of at least 10s, such as 6h, found "5s"'],
  },
  {
    name: 'by the clock and after others',
    files: `${whole}  other: { from: klaviyo, schema: other, every: 1h, after: [sync/klaviyo] }\n`,
    lines: ['weir.yaml:6:60: syncs.other.after: both "after" and "every" are given; keep one of them'],
  },
  {
    name: 'after syncs that are none, written wrong or named twice',
    files: `${whole}  other: { from: klaviyo, schema: other, after: [sync/klavyo, klaviyo, sync/klaviyo, sync/klaviyo] }\n  more: { from: klaviyo, schema: more, after: [] }\n`,
    lines: [
      'weir.yaml:6:50: syncs.other.after.0: no sync "klavyo"; did you mean "klaviyo"?',
      'weir.yaml:6:63: syncs.other.after.1: expected a sync as "sync/NAME", found "klaviyo"; write sync/klaviyo',
      'weir.yaml:6:72: syncs.other.after.2: "sync/klaviyo" is named twice',
      'weir.yaml:6:86: syncs.other.after.3: "sync/klaviyo" is named twice',
      'weir.yaml:7:47: syncs.more.after: name at least one sync, such as sync/shop, found a list',
    ],
  },
  {
    name: 'syncs that wait for each other, and one that waits for them',
    files: `${whole}  a: { from: klaviyo, schema: a, after: [sync/klaviyo, sync/c] }\n  b: { from: klaviyo, schema: b, after: [sync/a] }\n  c: { from: klaviyo, schema: c, after: [sync/b] }\n  d: { from: klaviyo, schema: d, after: [sync/c] }\n  e: { from: klaviyo, schema: e, after: [sync/e] }\n`,
    lines: [
      'weir.yaml:6:41: syncs.a.after: syncs wait for each other in a circle: a after c after b after a; see also weir.yaml:8:41, weir.yaml:7:41',
      'weir.yaml:10:41: syncs.e.after: syncs wait for each other in a circle: e after e',
    ],
  },
  {
    name: 'a schedule without a cron expression',
    files: klaviyo('schedule: { jitter: 3m }'),
    lines: ['weir.yaml:7:15: syncs.klaviyo.schedule: "cron" is missing'],
  },
  {
    name: 'a schedule that is a text',
    files: klaviyo('schedule: "0 * * * *"'),
    lines: ['weir.yaml:7:15: syncs.klaviyo.schedule: expected a map of keys, found "0 * * * *"'],
  },
  {
    name: 'an unknown time zone',
    files: klaviyo('timezone: Europe/Berln'),
    lines: ['weir.yaml:7:15: syncs.klaviyo.timezone: expected a time zone such as Europe/Berlin or UTC, found "Europe/Berln"'],
  },
  {
    name: 'an unknown time zone of a schedule',
    files: klaviyo('schedule: { cron: "0 * * * *", timezone: CEST+2 }'),
    lines: ['weir.yaml:7:46: syncs.klaviyo.schedule.timezone: expected a time zone such as Europe/Berlin or UTC, found "CEST+2"'],
  },
  {
    name: 'an environment that is not there',
    files: `${whole}environments:\n  prod: {}\n`,
    given: { environment: 'prd' },
    lines: ['weir.yaml:7:3: environments: no environment "prd"; did you mean "prod"?'],
  },
  {
    name: 'an environment where there are none',
    files: whole,
    given: { environment: 'prod' },
    lines: ['weir.yaml:1:1: environments: no environment "prod"; there are no environments'],
  },
  {
    name: 'a typo in an environment that is not selected',
    files: `${whole}environments:\n  prod:\n    synks: {}\n    syncs: {}\n`,
    lines: ['weir.yaml:8:5: environments.prod.synks: unknown key "synks"; did you mean "syncs"?'],
  },
  {
    name: 'faults inside an environment that is not selected',
    files: `${whole}environments:\n  prod:\n    syncs:\n      klaviyo: { evry: 1h }\n      klavio: { every: 1h }\n`,
    lines: [
      'weir.yaml:9:18: syncs.klaviyo.evry: unknown key "evry"; did you mean "every"?',
      'weir.yaml:10:15: syncs.klavio: "from" is missing',
    ],
  },
  {
    name: 'a bad value in the selected environment',
    files: `${whole}environments:\n  prod:\n    syncs:\n      klaviyo: { every: hourly }\n`,
    given: { environment: 'prod' },
    lines: ['weir.yaml:9:25: syncs.klaviyo.every: expected a duration of at least 1m, such as 15m, found "hourly"'],
  },
  {
    name: 'one fault of each kind, all at once',
    files: `version: 1\nname: Acme\ndefaults: { timezone: Mars, start: soon }\nconnections:\n  klaviyo: { type: klaviyo, api_key: "\${NOT_SET}" }\n  crm: { type: hubspott }\nsyncs:\n  klaviyo: { from: klavio, every: 15x }\n  hubspot: { from: crm, streams: { contact: {} }, colour: red }\nsuppressions: {}\n`,
    lines: [
      'weir.yaml:2:7: name: a project name is a lower-case letter, then letters, digits, "_" and "-", at most 48 in all',
      'weir.yaml:3:23: defaults.timezone: expected a time zone such as Europe/Berlin or UTC, found "Mars"',
      'weir.yaml:5:38: connections.klaviyo.api_key: the variable NOT_SET is not set; set it in the environment or in .env beside weir.yaml',
      'weir.yaml:6:16: connections.crm.type: no connection type "hubspott"; did you mean "hubspot"?',
      'weir.yaml:8:20: syncs.klaviyo.from: no connection "klavio"; did you mean "klaviyo"?',
      'weir.yaml:8:35: syncs.klaviyo.every: expected a duration of at least 1m, such as 15m, found "15x"',
      'weir.yaml:9:51: syncs.hubspot.colour: unknown key "colour"; allowed here: from, schema, every, schedule, after, timezone, concurrency, dead_letters, alerts, freshness, on_schema_change, max_shrink, deletions, start, lookback, slice, parallel, columns, raw, quality, …',
      'weir.yaml:10:1: suppressions: "suppressions" is not supported by this version of Weir',
    ],
  },
]
