import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { letterKey, versionAt } from '../../schema/key.js'
import { joined, type Line, recordOf, type Segment, split } from '../../schema/lines.js'
import type { Letter, OpenTable, TableSpec } from '../driver.js'
import { appendStatement } from './append.js'
import { halve } from './halve.js'
import { historyStatements } from './history.js'
import { besides, mergeStatement, undatedStatement } from './merge.js'
import { id, list, sqlType } from './sql.js'

/** Rows on their way into a table. */
export interface Load {
  table: OpenTable
  segments: readonly Segment[]
  rows: number
  /** Stage that takes them instead of the table, in the modes that gather first. */
  stage?: string | undefined
}

/**
 * How rows go in, from the fastest to the most patient: copied into the table itself, which takes no key that stands or comes twice, nor a
 * deletion; copied beside it and merged; the same, where what the database refuses is halved until the culprit is alone and becomes a dead letter.
 */
export type Way = 'straight' | 'merged' | 'careful'

/** Rows of a batch as they came out: how many were written, and which could not be, by their places in the batch. */
export interface Loaded {
  loaded: number
  refused: { at: number; letter: Letter }[]
}

/** A batch is sorted in memory; PostgreSQL's default of 4 MB would send it to disk. */
const sortMemory = '32MB'

/** Writes rows where the mode wants them. */
export async function loadRows(client: pg.ClientBase, load: Load, way: Way): Promise<Loaded> {
  if (load.rows === 0) return { loaded: 0, refused: [] }
  return way === 'straight' ? { loaded: await copyStraight(client, load), refused: [] } : mergeRows(client, load, way === 'careful')
}

async function copyStraight(client: pg.ClientBase, { table: { spec }, stage, segments }: Load): Promise<number> {
  const target = stage === undefined ? id(spec.schema, spec.table) : id('_weir_stage', stage)
  let rows = 0
  for (const segment of segments) rows += await copy(client, target, segment, spec)
  return rows
}

/** COPY into a temporary table, then into their place in key order, so that parallel slices do not deadlock. */
async function mergeRows(client: pg.ClientBase, load: Load, isCareful: boolean): Promise<Loaded> {
  const result: Loaded = { loaded: 0, refused: [] }
  const { columns, spec } = load.table
  const definition = [
    '_weir_line int GENERATED ALWAYS AS IDENTITY',
    ...columns.map(({ name, type }) => `${id(name)} ${sqlType[type]}`),
    ...besides(spec).map((name) => `${name} jsonb`),
    '_weir_run_id text',
    '_weir_seen_at timestamptz',
  ].join(', ')
  await client.query(
    `SET LOCAL work_mem = '${sortMemory}';
     CREATE TEMP TABLE weir_batch (${definition}) ON COMMIT DROP`,
  )
  const [first, ...others] = statementsFor(load)
  const undated = spec.mode === 'merge' ? undatedStatement(spec, columns) : undefined
  const refuse = (at: number, line: Line, message: string) => {
    const { payload, values, readAt } = recordOf(line)
    const version = { ...letterKey(values, spec.key), ...versionAt(values, spec), readAt }
    result.refused.push({ at, letter: { kind: 'record', reason: 'record', message, ...version, payload } })
  }
  /** Moves rows on; answers with those of them that cannot be compared with what stands. */
  const write = async (segments: readonly Segment[]): Promise<number[]> => {
    for (const segment of segments) await copy(client, 'weir_batch', segment, spec)
    const { rowCount } = await client.query(first!)
    for (const statement of others) await client.query(statement)
    const found = undated === undefined ? [] : (await client.query<{ at: number }>(undated)).rows
    result.loaded += rowCount ?? 0
    return found.map(({ at }) => at)
  }
  if (!isCareful) {
    const places = await write(load.segments)
    const lines = places.length === 0 ? [] : split(load.segments)
    for (const at of places) refuse(at, lines[at]!, cannotTell(spec))
    return result
  }
  await halve(
    client,
    split(load.segments).map((line, at) => ({ line, at })),
    async (items) => {
      const places = await write(joined(items.map(({ line }) => line)))
      await client.query('TRUNCATE weir_batch')
      for (const place of places) refuse(items[place]!.at, items[place]!.line, cannotTell(spec))
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

const cannotTell = ({ cursor }: TableSpec) =>
  `says nothing in "${cursor}" of how old it is, and the row that stands does: which of the two is newer cannot be told`

/** Answers with the number of rows. */
async function copy(client: pg.ClientBase, target: string, { columns, chunks }: Segment, spec: TableSpec): Promise<number> {
  const names = list([...columns.map(({ name }) => name), ...besides(spec), '_weir_run_id', '_weir_seen_at'])
  const stream = client.query(copyFrom(`COPY ${target} (${names}) FROM STDIN`))
  const done = once(stream, 'finish')
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await done
  return stream.rowCount ?? 0
}

/** The statements that move the batch on; the row count of the first is the number of rows that changed. */
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
