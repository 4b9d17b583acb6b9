/** One sync's definition against the one in force: what changes in what is read and kept, and what follows. */
import { same } from '../../src/config/hash.js'
import { durationText } from '../../src/config/units.js'
import type { ColumnActions, Definition, StreamSettings } from '../../src/core/definition.js'
import { switchesIn } from '../../src/engine/mode-switch.js'
import type { Change } from './change.js'
import { type Estimate, estimateOf } from './estimate.js'
import type { SyncWorld, World } from './world.js'

/** A setting as the project file would have it. */
function shown(key: string, value: unknown): string {
  if (value === undefined) return 'not set'
  if (typeof value === 'number' && key.endsWith('Ms')) return durationText(value)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value)
}

/** What a setting was and is; of columns the fields that differ. */
function turned(key: string, name: string, from: unknown, to: unknown): string {
  if (key !== 'columns') return `${name} ${shown(key, from)} → ${shown(key, to)}`
  const [before, after] = [(from ?? {}) as ColumnActions, (to ?? {}) as ColumnActions]
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => before[field] !== after[field])
  return `${name} ${fields.map((field) => `${field} ${before[field] ?? 'as it is'} → ${after[field] ?? 'as it is'}`).join(', ')}`
}

/** Keys of a stream's settings as the project file names them. */
const names: Record<keyof StreamSettings, string> = {
  mode: 'mode',
  freshness: 'freshness',
  custom: 'what it reads',
  onSchemaChange: 'on_schema_change',
  deletions: 'deletions',
  maxShrinkPercent: 'max_shrink',
  start: 'start',
  lookbackMs: 'lookback',
  sliceDays: 'slice (days)',
  parallel: 'parallel',
  quality: 'quality',
  columns: 'columns',
  raw: 'raw',
  deadLetters: 'dead_letters',
}

/** Changes of one sync that is in force already. */
export function definitionChanges(after: Definition, world: World): Change[] {
  const before = world.syncs[after.sync]!.definition!
  const streams = [...new Set([...Object.keys(before.streams), ...Object.keys(after.streams)])]
  return [...syncChanges(before, after), ...streams.flatMap((stream) => streamChanges(stream, before, after, world))]
}

function syncChanges(before: Definition, after: Definition): Change[] {
  const { sync } = after
  const changes: Change[] = []
  const change = (what: string, ...consequences: string[]) =>
    changes.push({ action: 'change', object: 'sync', sync, what, consequences: [...consequences] })
  const a = before.connection
  const b = after.connection
  if (before.schema !== after.schema)
    change(
      `schema ${before.schema} → ${after.schema}`,
      `The tables in ${before.schema} are updated no more; their rows stay.`,
      `Its state stays, so the tables in ${after.schema} begin with what changes from now on; to fill them: weir sync ${sync} --full`,
    )
  const keys = [...new Set([...Object.keys(a.settings), ...Object.keys(b.settings)])].filter(
    (key) => !same(a.settings[key], b.settings[key]),
  )
  const where = [
    ...(a.name === b.name ? [] : [`connection ${a.name} → ${b.name}`]),
    ...(a.type === b.type ? [] : [`vendor ${a.type} → ${b.type}`]),
    ...(a.baseUrl === b.baseUrl ? [] : [`base_url ${shown('', a.baseUrl)} → ${shown('', b.baseUrl)}`]),
    ...(keys.length > 0 ? [`settings of the connection (${keys.join(', ')})`] : []),
  ]
  if (where.length > 0)
    change(
      where.join(', '),
      `Its state stays: where that is another account, its rows join those of the old one and older ones are not read. To begin anew: weir state reset ${sync}`,
    )
  if (a.apiVersion !== b.apiVersion) change(`api_version ${shown('', a.apiVersion)} → ${shown('', b.apiVersion)}`)
  if (!same(a.budget, b.budget))
    changes.push({
      action: 'change',
      object: 'budget',
      sync,
      what: `${budgetText(a.budget)} → ${budgetText(b.budget)}`,
      consequences: ['It holds for all that use the account.'],
    })
  for (const [key, name] of [
    ['concurrency', 'concurrency'],
    ['timezone', 'timezone'],
    ['deadLetters', 'dead_letters'],
    ['project', 'project'],
  ] as const)
    if (!same(before[key], after[key])) change(turned(key, name, before[key], after[key]))
  // What is said of all streams is said by each that is read.
  const isTold = Object.entries(after.streams).some(([name, { columns }]) => !same(before.streams[name]?.columns, columns))
  if (!isTold && !same(before.columns, after.columns))
    change(turned('columns', 'columns of what is only looked at', before.columns, after.columns))
  if (a.owner !== b.owner || a.allowPrivateHosts !== b.allowPrivateHosts) change('owner or allow_private_hosts of the connection')
  return changes
}

/** A budget as people say it. */
export function budgetText(budget: Definition['connection']['budget']): string {
  if (budget === undefined) return "the connector's budget"
  if (budget === 'off') return 'no budget'
  const { requests, perDay, concurrency, backfillShare } = budget
  return [
    ...(requests ? [`${requests.count}/${durationText(requests.perMs)}`] : []),
    ...(perDay === undefined ? [] : [`${perDay} a day`]),
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(backfillShare === undefined ? [] : [`backfills ${Math.round(backfillShare * 100)}%`]),
  ].join(', ')
}

function streamChanges(stream: string, before: Definition, after: Definition, world: World): Change[] {
  const { sync } = after
  const own = world.syncs[sync]!
  const isSwitched = switchesIn(after, world.modes[after.schema] ?? {}).some((one) => one.stream === stream)
  const a = before.streams[stream]
  const b = after.streams[stream]
  if (!b)
    return [
      {
        action: 'delete',
        object: 'stream',
        sync,
        stream,
        what: 'read no more',
        consequences: [`The table ${before.schema}.${stream} is updated no more; its rows and its state stay.`],
      },
    ]
  if (!a) return [newStream(stream, after, own)]
  const estimate = estimateOf(
    own.needs.find((need) => need.stream === stream),
    after,
  )
  return Object.entries(names).flatMap(([key, name]): Change[] => {
    const [from, to] = [a[key as keyof StreamSettings], b[key as keyof StreamSettings]]
    if (same(from, to) || (key === 'mode' && isSwitched)) return []
    const what = key === 'custom' ? name : turned(key, name, from, to)
    return [{ action: 'change', object: 'stream', sync, stream, what, consequences: follows(key, { sync, stream, a, b, estimate }) }]
  })
}

/** A stream that is read from now on. */
export function newStream(stream: string, { sync, schema, streams, ...definition }: Definition, own: SyncWorld): Change {
  const { start, mode, columns } = streams[stream]!
  const need = own.needs.find((one) => one.stream === stream)
  const estimate = estimateOf(need, { sync, schema, streams, ...definition })
  const consequences = own.known.has(stream)
    ? [
        `It goes on where earlier runs have left it: ${estimate.last} the last time.`,
        ...(columns === undefined ? [] : [`${stay('Rows from before its policy of columns')}: ${readAgain(sync, stream, estimate)}`]),
      ]
    : [
        `Its first run reads everything${start === undefined ? '' : ` from ${startText(start)} on`}: ${estimate.full}.`,
        ...(mode === 'replace' ? ['So does every other run: it keeps a snapshot.'] : []),
      ]
  const what = `into ${schema}.${stream}${mode === undefined ? '' : `, mode ${mode}`}`
  return { action: 'create', object: 'stream', sync, stream, what, consequences }
}

/** The command that reads all of a stream once more, and what it takes. */
const readAgain = (sync: string, stream: string, { full }: Estimate): string => `weir sync ${sync} --stream ${stream} --full (${full})`

/** What a new policy of columns does to rows from before it: nothing. */
export const stay = (rows: string): string =>
  `${rows} keep what they hold until they are read again (versions of append and history for good)`

const startText = (start: string): string =>
  start.startsWith('-') ? `${start.slice(1, -1)} days back` : start.replace(/T00:00:00\.000Z$/, '')

interface Follow {
  sync: string
  stream: string
  a: StreamSettings
  b: StreamSettings
  estimate: Estimate
}

/** What a changed setting leads to, where that is more than itself. */
function follows(key: string, { sync, stream, a, b, estimate }: Follow): string[] {
  const again = readAgain(sync, stream, estimate)
  switch (key) {
    case 'start':
      return [
        `Rows that were loaded stay, and nothing older is read by itself. To read it: weir backfill ${sync} --stream ${stream}, or ${again}`,
      ]
    case 'lookbackMs': {
      const [from, to] = [a.lookbackMs, b.lookbackMs].map((ms) => (ms === undefined ? undefined : ms / 86_400_000))
      if (to === undefined) return ["How far each run reads again is the connector's matter."]
      const more = from === undefined ? to : to - from
      return [
        `Each run reads ${durationText(to * 86_400_000)} again${from === undefined ? '' : `, ${durationText(from * 86_400_000)} before`}.`,
        ...(more > 0 ? [`That is, a run, ${estimate.days(more)} more.`] : []),
      ]
    }
    case 'columns':
      return [`${stay('Rows that were loaded')}: ${again}`]
    case 'raw':
      return b.raw === 'keep' ? [`Rows that were loaded hold no raw record until they are read again: ${again}`] : []
    case 'custom':
      return [`Rows that were loaded stay as they are; to read everything by the new words: ${again}`]
    case 'deletions':
      return b.deletions === 'off' ? ['Rows of records that the vendor deletes stay unmarked from now on.'] : []
    default:
      return []
  }
}

/** Tables that a run switches to another mode. */
export function modeChanges(after: Definition, world: World): Change[] {
  const { sync, schema } = after
  return switchesIn(after, world.modes[schema] ?? {}).map(({ stream, from, to, consequence: text }): Change => {
    const need = world.syncs[sync]?.needs.find((one) => one.stream === stream)
    const consequences = [
      `${text.charAt(0).toUpperCase()}${text.slice(1)}.`,
      ...(to === 'replace' ? [`Every run reads everything: ${estimateOf(need, after).full}.`] : []),
      'A run of the stream starts at once to do it.',
    ]
    return { action: 'change', object: 'stream', sync, stream, what: `mode ${from} → ${to}`, consequences, needs: 'mode' }
  })
}
