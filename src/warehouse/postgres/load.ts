import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { letterKey, versionAt } from '../../schema/key.js'
import { joined, type Line, recordOf, type Segment, split } from '../../schema/lines.js'
import type { Letter, OpenTable, Reading, TableSpec } from '../driver.js'
import { appendStatement } from './append.js'
import { halve } from './halve.js'
import { historyStatements } from './history.js'
import { besides, mergeStatement, undatedStatement } from './merge.js'
import { id, list, sqlType } from './sql.js'

/** Rows on their way into a table, and whose they are. */
export interface Load {
  table: OpenTable
  segments: readonly Segment[]
  rows: number
  run: string
  /** Stage that takes them instead of the table, in the modes that gather first. */
  stage?: string | undefined
  /** When its rows were read. */
  readings: readonly Reading[]
}

/** Rows of a batch as they came out: how many were written, and which could not be, by their places in the batch. */
export interface Loaded {
  loaded: number
  refused: { at: number; letter: Letter }[]
}

/** A batch is sorted in memory; PostgreSQL's default of 4 MB would send it to disk. */
const sortMemory = '32MB'

/**
 * COPY into a temporary table, then into where the mode wants the rows, in key order so that parallel slices do not
 * deadlock. With `careful`, what the database refuses is halved until the culprit is alone and becomes a dead letter.
 */
export async function loadRows(client: pg.ClientBase, load: Load, careful: boolean): Promise<Loaded> {
  const result: Loaded = { loaded: 0, refused: [] }
  if (load.rows === 0) return result
  const { columns, spec } = load.table
  const definition = [
    '_weir_line int GENERATED ALWAYS AS IDENTITY',
    ...columns.map(({ name, type }) => `${id(name)} ${sqlType[type]}`),
    ...besides(spec).map((name) => `${name} jsonb`),
  ].join(', ')
  await client.query(
    `SET LOCAL work_mem = '${sortMemory}';
     CREATE TEMP TABLE weir_batch (${definition}) ON COMMIT DROP`,
  )
  const statements = statementsFor(load)
  const refuse = (at: number, line: Line, message: string) => {
    const { payload, values } = recordOf(line)
    const version = { ...letterKey(values, spec.key), ...versionAt(values, spec), readAt: instantAt(load.readings, at) }
    result.refused.push({ at, letter: { kind: 'record', reason: 'record', message, ...version, payload } })
  }
  /** Moves rows on; answers with those of them that cannot be compared with what stands. */
  const write = async (segments: readonly Segment[], readings: readonly Reading[]): Promise<number[]> => {
    for (const segment of segments) await copy(client, segment, besides(spec))
    const [first, ...others] = statements
    const { rowCount } = await client.query(first!, [load.run, readings.map(({ at }) => at), beginnings(readings)])
    for (const statement of others) await client.query(statement)
    const undated = spec.mode === 'merge' ? undatedStatement(spec, columns) : undefined
    const found = undated === undefined ? [] : (await client.query<{ at: number }>(undated)).rows
    result.loaded += rowCount ?? 0
    return found.map(({ at }) => at)
  }
  if (!careful) {
    const places = await write(load.segments, load.readings)
    const lines = places.length === 0 ? [] : split(load.segments)
    for (const at of places) refuse(at, lines[at]!, cannotTell(spec))
    return result
  }
  await halve(
    client,
    split(load.segments).map((line, at) => ({ line, at })),
    async (items) => {
      const lines = items.map(({ line }) => line)
      const places = await write(
        joined(lines),
        items.map(({ at }) => ({ rows: 1, at: instantAt(load.readings, at) })),
      )
      await client.query('TRUNCATE weir_batch')
      for (const place of places) refuse(items[place]!.at, lines[place]!, cannotTell(spec))
    },
    ({ line, at }, error) =>
      refuse(
        at,
        line,
        `PostgreSQL refused it for ${spec.schema}.${spec.table}: ${error.message.replaceAll(/"[^"]*"/g, '"…"')} (${error.code})`,
      ),
  )
  return result
}

/** When the row at a place, from 0, was read. */
function instantAt(readings: readonly Reading[], place: number): string {
  const reading = beginnings(readings).findLastIndex((begins) => begins <= place)
  return readings[reading]!.at
}

/** The places, from 0, at which the rows of each reading begin. */
function beginnings(readings: readonly Reading[]): number[] {
  let next = 0
  return readings.map(({ rows }) => {
    const begins = next
    next += rows
    return begins
  })
}

const cannotTell = ({ cursor }: TableSpec) =>
  `says nothing in "${cursor}" of how old it is, and the row that stands does: which of the two is newer cannot be told`

async function copy(client: pg.ClientBase, { columns, chunks }: Segment, besides: readonly string[]): Promise<void> {
  const names = list([...columns.map(({ name }) => name), ...besides])
  const stream = client.query(copyFrom(`COPY weir_batch (${names}) FROM STDIN`))
  const done = once(stream, 'finish')
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await done
}

/**
 * The statements that move the batch on; the row count of the first is the number of rows that changed. `$1` is the run, `$2` and `$3`
 * say when rows were read.
 */
function statementsFor({ table: { spec, columns }, stage }: Load): string[] {
  switch (spec.mode) {
    case 'append':
      return [appendStatement(spec, columns)]
    case 'history':
      return historyStatements(spec, columns)
    default:
      return [mergeStatement(spec, columns, stage)]
  }
}
