/** The harness's own way to PostgreSQL, past the proxy. */
import pg from 'pg'
import { until } from '../cli/dev/processes.js'

export type Query = <T extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<T[]>

/** @throws while the server is away */
export async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'chaos',
    connectionTimeoutMillis: 5_000,
    options: '-c timezone=UTC',
  })
  // That the server goes away is the point; the next statement says so.
  client.on('error', () => {})
  await client.connect()
  return client
}

export const awayForMs = 60_000
/** Weir's own tables: the worker makes them as it starts. */
export const areThere = `SELECT to_regclass('_weir.checkpoints') IS NOT NULL AS are`

/** Did the server go away, or is it not back yet? */
export const isAway = (error: unknown): boolean => {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return /^(08|57P0)/.test(code) || /^E[A-Z]+$/.test(code) || /terminated|timeout|not queryable|Connection ended/i.test(message)
}

/** One connection for many statements, made anew when it is lost; a statement waits while the server is away. */
export function createQuery(url: string): { run: Query; end: () => Promise<void> } {
  let client: pg.Client | undefined
  const run = async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> => {
    let last: unknown
    const rows = await until(
      async () => {
        try {
          client ??= await connected(url)
          // Of several statements in one text, the last one's rows.
          return [await client.query<T>(sql, values)].flat().at(-1)!.rows
        } catch (error) {
          if (!isAway(error)) throw error
          last = error
          const broken = client
          client = undefined
          await broken?.end().catch(() => {})
          return undefined
        }
      },
      awayForMs,
      100,
    )
    if (!rows) throw new Error(`PostgreSQL did not answer for ${awayForMs / 1000} s`, { cause: last })
    return rows
  }
  return { run, end: async () => client?.end() }
}
