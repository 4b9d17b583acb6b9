import type pg from 'pg'
import type {
  BudgetReport,
  DayReport,
  LettersOfReason,
  Overview,
  ReportStore,
  RunReport,
  StreamReport,
  StreamStatus,
} from '../contract/reports.js'
import { changeOf } from './changes.js'
import { newestRuns } from './newest-runs.js'
import { transaction } from './pool.js'
import { runOf, streamRunOf, waitOf } from './runs.js'

type Row = Record<string, unknown>
type Client = Pick<pg.ClientBase, 'query'>

const instant = <K extends string>(key: K, value: unknown) =>
  (value == null ? {} : { [key]: (value as Date).toISOString() }) as { [key in K]?: string }
const text = <K extends string>(key: K, value: unknown) => (value == null ? {} : { [key]: String(value) }) as { [key in K]?: string }

const reportedOf = (row: Row) => ({
  seconds: Number(row.seconds),
  ...waitOf(row),
  schemaChanges: Number(row.schema_changes),
  checks: Number(row.checks),
  failedChecks: Number(row.failed_checks),
  ...text('acts', row.acts),
  ...text('next', row.next_command),
})

const runReportOf = (row: Row): RunReport => ({
  ...runOf(row),
  ...reportedOf(row),
  ...text('workflow', row.workflow_id),
  streams: Number(row.streams),
  streamsDone: Number(row.streams_done),
  ...(row.paused_at == null
    ? {}
    : { pause: { by: String(row.paused_by), reason: String(row.pause_reason), at: (row.paused_at as Date).toISOString() } }),
})

const streamReportOf = (row: Row): StreamReport => ({ ...streamRunOf(row), ...reportedOf(row), spent: row.spent as Record<string, number> })

const statusOf = (row: Row): StreamStatus => ({
  ...streamReportOf(row),
  ...instant('completeUpTo', row.complete_up_to),
  ...instant('lastCompletedAt', row.last_completed_at),
  openSlices: Number(row.open_slices),
  openDeadLetters: Number(row.open_dead_letters),
  pendingChanges: Number(row.pending_changes),
})

async function runs(client: Client, { sync, run, isOpen, limit }: Parameters<ReportStore['runs']>[0]): Promise<RunReport[]> {
  const { rows } = await client.query(
    `SELECT * FROM _weir.run_report WHERE run_id IN (SELECT run_id FROM _weir.runs
       WHERE ($1::text IS NULL OR sync = $1) AND ($2::text IS NULL OR starts_with(run_id, $2)) AND (NOT $3 OR finished_at IS NULL)
       ORDER BY started_at DESC LIMIT $4)
      ORDER BY started_at DESC`,
    [sync ?? null, run ?? null, isOpen ?? false, limit ?? null],
  )
  return rows.map(runReportOf)
}

async function statuses(client: Client): Promise<StreamStatus[]> {
  const { rows } = await client.query('SELECT * FROM _weir.stream_status ORDER BY sync, stream')
  return rows.map(statusOf)
}

export function createReports(pool: pg.Pool): ReportStore {
  return {
    runs: (filter) => runs(pool, filter),
    async streams(run) {
      const { rows } = await pool.query('SELECT * FROM _weir.stream_report WHERE run_id = $1 ORDER BY stream', [run])
      return rows.map(streamReportOf)
    },
    lettersOf: (run) => letters(pool, 'run_id = $1', [run]),
    statuses: () => statuses(pool),
    overview: ({ days, runs: limit, withinMs }) =>
      transaction(pool, 'Reading the overview', async (client) => {
        await client.query(
          `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${Math.round(withinMs)}`,
        )
        const { rows } = await client.query<{ now: Date }>('SELECT now() AS now')
        const at = rows[0]!.now
        return {
          at: at.toISOString(),
          syncs: await syncs(client),
          statuses: await statuses(client),
          runs: await runs(client, { limit }),
          days: await perDay(client, days),
          budgets: await budgets(client, at.getTime()),
          letters: await letters(client, `status = 'open'`),
          pending: await pending(client),
        }
      }),
  }
}

async function syncs(client: Client): Promise<Overview['syncs']> {
  const { rows } = await client.query<{ sync: string; connection: string; vendor: string; schema: string }>(
    `${newestRuns()}
     SELECT n.sync, d.body->'connection'->>'name' AS connection, d.body->'connection'->>'type' AS vendor, d.body->>'schema' AS schema
       FROM newest n JOIN _weir.definitions d ON d.hash = n.definition ORDER BY n.sync`,
  )
  return Object.fromEntries(rows.map(({ sync, ...row }) => [sync, row]))
}

async function perDay(client: Client, days: number): Promise<DayReport[]> {
  const { rows } = await client.query(
    `SELECT sync, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*)::int AS runs,
            count(*) FILTER (WHERE status IN ('failed', 'partial'))::int AS failed, sum(loaded)::float8 AS loaded, sum(dead_letters)::float8 AS dead_letters
       FROM _weir.runs WHERE started_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - make_interval(days => $1)
      GROUP BY 1, 2 ORDER BY 1, 2`,
    [days - 1],
  )
  return rows.map((row) => ({
    sync: row.sync,
    day: row.day,
    runs: row.runs,
    failed: row.failed,
    loaded: row.loaded,
    deadLetters: row.dead_letters,
  }))
}

/** As `src/http/permits.ts` keeps it; only what is shown here. */
interface BudgetState {
  pausedUntilMs?: number
  most?: Record<string, number>
  answered?: Record<string, { toMs: number; live: number; backfill: number }[]>
  holders?: Record<string, { live: number; backfill: number }>
}

async function budgets(client: Client, nowMs: number): Promise<BudgetReport[]> {
  const { rows } = await client.query<{ vendor: string; account: string; budget: string; state: BudgetState | null; updated_at: Date }>(
    `SELECT * FROM _weir.budgets WHERE updated_at > now() - interval '2 days' ORDER BY vendor, account, budget`,
  )
  return rows.map(({ vendor, account, budget, state, updated_at }) => {
    const answered = Object.entries(state?.answered ?? {})
    const paused = state?.pausedUntilMs ?? 0
    return {
      vendor,
      account: account.slice(0, 8),
      budget,
      windows: answered.map(([perMs, parts]) => ({
        perMs: Number(perMs),
        used: parts.filter(({ toMs }) => toMs > nowMs - Number(perMs)).reduce((sum, { live, backfill }) => sum + live + backfill, 0),
        ...(state?.most?.[perMs] === undefined ? {} : { most: state.most[perMs] }),
      })),
      underWay: Object.values(state?.holders ?? {}).reduce((sum, { live, backfill }) => sum + live + backfill, 0),
      ...(paused > nowMs ? { pausedUntil: new Date(paused).toISOString() } : {}),
      updatedAt: updated_at.toISOString(),
    }
  })
}

async function letters(client: Client, which: string, values: string[] = []): Promise<LettersOfReason[]> {
  const { rows } = await client.query(
    `SELECT sync, stream, reason, count(*)::int AS letters, max(last_seen_at) AS last_seen_at FROM _weir.dead_letters WHERE ${which}
      GROUP BY 1, 2, 3 ORDER BY letters DESC, 1, 2, 3`,
    values,
  )
  return rows.map((row) => ({
    sync: row.sync,
    stream: row.stream,
    reason: row.reason,
    letters: row.letters,
    lastSeenAt: row.last_seen_at.toISOString(),
  }))
}

async function pending(client: Client) {
  const { rows } = await client.query(`SELECT * FROM _weir.schema_changes WHERE status = 'pending' ORDER BY id`)
  return rows.map(changeOf)
}
