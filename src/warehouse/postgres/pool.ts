import pg from 'pg'
import { asFailure, Failure } from '../../core/failure.js'

/** Statements may wait behind a COPY of another slice, but not for ever. */
const statementTimeoutMs = 10 * 60_000
/** Between two statements of a transaction there is no waiting: a client that is silent for so long stands still, and must not hold its locks. */
const idleInTransactionMs = 30_000
const connectTimeoutMs = 15_000

export function createPool(url: string, max = 12): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'weir',
    options: `-c statement_timeout=${statementTimeoutMs} -c timezone=UTC -c idle_in_transaction_session_timeout=${idleInTransactionMs}`,
  })
  // An idle connection that dies is replaced at next use; without a listener it would end the process.
  pool.on('error', () => {})
  return pool
}

/** Was the transaction surely rolled back, so that the very same batch may be tried again at once? */
export const isRetryable = (error: unknown): boolean => ['40001', '40P01', '55P03'].includes(codeOf(error))

/** Did the database refuse the data itself (a value, a row too big), not the circumstances? */
export const isDataError = (error: unknown): boolean => {
  const code = codeOf(error)
  return code.startsWith('22') || ['23502', '23503', '23514', '54000', '54001'].includes(code)
}

/** Is there a row of that key already? */
export const isKeyTaken = (error: unknown): boolean => codeOf(error) === '23505'

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

const needsOperator: Record<string, string> = {
  '25006': 'The warehouse is read-only. Point `warehouse.url` at the primary.',
  '28000': 'The warehouse refused the user. Look at `warehouse.url`.',
  '28P01': 'The warehouse refused the password. Look at `warehouse.url`.',
  '3D000': 'The database does not exist. Create it, or look at `warehouse.url`.',
  '42501': 'The warehouse user lacks a right. Grant CREATE on the database and on the schema to it.',
  '53100': 'The disk of the warehouse is full. Make room; the next run goes on where this one stopped.',
  '54011': 'The table has more columns than PostgreSQL allows.',
}

/** A pooler that hands out sessions by the transaction takes no settings for one, and locks and temporary tables would not hold there. */
const isPooler = (code: string, text: string) => code === '08P01' && text.includes('unsupported startup parameter')
const poolerRemedy =
  'A pooler in transaction mode stands before the warehouse. Point `warehouse.url` at PostgreSQL itself, or at a session pool.'

/** A database error as a Failure: what an operator must mend is `warehouse`, a lost connection or a lock is `transient`. */
export function warehouseFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error
  const code = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  const remedy = isPooler(code, text) ? poolerRemedy : needsOperator[code]
  if (remedy) return new Failure('warehouse', `${doing}: ${text} (${code}). ${remedy}`, { code }, { cause: error })
  const gone =
    /^(08|40|53|55P03|57)/.test(code) || /^E[A-Z]+$/.test(code) || /terminated|timeout|not queryable|Client was closed/i.test(text)
  if (gone) return new Failure('transient', `${doing}: ${text}${code ? ` (${code})` : ''}.`, { code }, { cause: error })
  const failure = asFailure(error)
  return new Failure(failure.reason, `${doing}: ${text}${code ? ` (${code})` : ''}.`, { code }, { cause: error })
}

/** Runs one transaction on a connection of its own; whatever fails rolls it back and comes out as a Failure. */
export async function transaction<T>(pool: pg.Pool, doing: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return onConnection(pool, doing, async (client) => {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  })
}

/** Runs `work` on a connection of its own, which is given up when it is cut; of a transaction that `work` began, whatever fails is rolled back. */
export async function onConnection<T>(pool: pg.Pool, doing: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw warehouseFailure(error, doing)
  })
  // A connection that dies between two statements says so by an event; the next statement then fails with it.
  const ignore = () => {}
  client.on('error', ignore)
  let broken: Error | undefined
  try {
    return await work(client)
  } catch (error) {
    await client.query('ROLLBACK').catch((rollback: Error) => {
      broken = rollback
    })
    throw error
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}
