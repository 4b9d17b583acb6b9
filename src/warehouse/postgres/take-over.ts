import type pg from 'pg'

/** So long a newer attempt waits for what a session of an older one holds, before it ends that session. */
const patienceMs = 5_000

/**
 * Runs a statement by which a newer attempt takes what an older one may still hold, and ends the session that does not let go. A worker that stands
 * still in the middle of a COPY (SIGSTOP, a machine put to sleep) would hold its locks for ever: no time-out of PostgreSQL counts while it waits
 * for a client's data, and the kernel of the frozen process answers TCP's probes (tried on 15 and 18: statement_timeout, transaction_timeout,
 * idle_in_transaction_session_timeout, client_connection_check_interval, tcp_user_timeout). What is ended was not committed, and is read again.
 * Sessions of others than Weir are waited for.
 * @param client in a transaction, so that a pooler leaves it on one session
 */
export async function takeOver<T>(pool: pg.Pool, client: pg.ClientBase, statement: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const timer = setInterval(() => {
    // Where this fails, it is tried again as long as the statement waits; that has an end of its own.
    endBlocking(pool, rows[0]!.pid).catch(() => undefined)
  }, patienceMs)
  try {
    return await statement()
  } finally {
    clearInterval(timer)
  }
}

/** Those of Weir that keep a session waiting; one that has just begun may end by itself. */
const endBlocking = (pool: pg.Pool, pid: number) =>
  pool.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
      WHERE a.pid = ANY(pg_blocking_pids($1)) AND a.application_name = 'weir' AND a.usename = current_user
        AND a.xact_start < now() - interval '${patienceMs} ms'`,
    [pid],
  )
