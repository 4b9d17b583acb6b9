import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { letterKey } from '../../schema/key.js'
import { joined, recordOf, type Segment, split } from '../../schema/lines.js'
import type { Letter, OpenTable } from '../driver.js'
import { appendStatement } from './append.js'
import { halve } from './halve.js'
import { historyStatements } from './history.js'
import { mergeStatement } from './merge.js'
import { id, list, sqlType } from './sql.js'

/** Rows on their way into a table, and whose they are. */
export interface Load {
  table: OpenTable
  segments: readonly Segment[]
  rows: number
  run: string
  /** Stage that takes them instead of the table, in the modes that gather first. */
  stage?: string | undefined
}

/** Rows of a batch as they came out: what was written, and which the database refused. */
export interface Loaded {
  loaded: number
  letters: Letter[]
}

/** A batch is sorted in memory; PostgreSQL's default of 4 MB would send it to disk. */
const sortMemory = '32MB'

/**
 * COPY into a temporary table, then into where the mode wants the rows, in key order so that parallel slices do not
 * deadlock. With `careful`, what the database refuses is halved until the culprit is alone and becomes a dead letter.
 */
export async function loadRows(client: pg.ClientBase, load: Load, careful: boolean): Promise<Loaded> {
  if (load.rows === 0) return { loaded: 0, letters: [] }
  const { columns, spec } = load.table
  const definition = columns.map(({ name, type }) => `${id(name)} ${sqlType[type]}`).join(', ')
  await client.query(
    `SET LOCAL work_mem = '${sortMemory}';
     CREATE TEMP TABLE weir_batch (${definition}, _weir_extra jsonb, _weir_line int GENERATED ALWAYS AS IDENTITY) ON COMMIT DROP`,
  )
  const statements = statementsFor(load)
  const write = async (segments: readonly Segment[]): Promise<number> => {
    for (const segment of segments) await copy(client, segment)
    let changed = 0
    for (const [at, statement] of statements.entries()) {
      const { rowCount } = await client.query(statement, at === 0 ? [load.run] : [])
      if (at === 0) changed = rowCount ?? 0
    }
    return changed
  }
  if (!careful) return { loaded: await write(load.segments), letters: [] }

  const result: Loaded = { loaded: 0, letters: [] }
  await halve(
    client,
    split(load.segments),
    async (lines) => {
      result.loaded += await write(joined(lines))
      await client.query('TRUNCATE weir_batch')
    },
    (line, error) => {
      const { payload, values } = recordOf(line)
      const message = `PostgreSQL refused it for ${spec.schema}.${spec.table}: ${error.message.replaceAll(/"[^"]*"/g, '"…"')} (${error.code})`
      result.letters.push({ kind: 'record', reason: 'record', message, ...letterKey(values, spec.key), payload })
    },
  )
  return result
}

async function copy(client: pg.ClientBase, { columns, chunks }: Segment): Promise<void> {
  const names = [list(columns.map(({ name }) => name)), '_weir_extra'].join(', ')
  const stream = client.query(copyFrom(`COPY weir_batch (${names}) FROM STDIN`))
  const done = once(stream, 'finish')
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await done
}

/** The statements that move the batch on; the row count of the first is the number of rows that changed. `$1` is the run. */
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
