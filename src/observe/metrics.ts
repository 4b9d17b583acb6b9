/**
 * Every metric of Weir: names, labels, meaning. Code, dashboards, alert rules and docs/reference/metrics.md stand on this table. Labels are
 * names of the project file and words of ours: never a record's id, an address or anything else of a person.
 */
interface Metric {
  kind: 'counter' | 'histogram' | 'gauge'
  labels: readonly string[]
  help: string
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[]
}

const stream = ['sync', 'stream', 'vendor'] as const
const seconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const longSeconds = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400]

export const metrics = {
  weir_records_read_total: { kind: 'counter', labels: stream, help: 'Records read and committed.' },
  weir_rows_loaded_total: { kind: 'counter', labels: stream, help: 'Rows inserted or changed.' },
  weir_rows_unchanged_total: { kind: 'counter', labels: stream, help: 'Records that said nothing new.' },
  weir_dead_letters_total: {
    kind: 'counter',
    labels: stream,
    help: 'Records set aside as dead letters; a whole slice shows in weir_dead_letters_open.',
  },
  weir_rows_deleted_total: { kind: 'counter', labels: stream, help: 'Rows that a snapshot no longer holds.' },
  weir_commit_seconds: { kind: 'histogram', labels: stream, help: 'Time that the commit of one batch took.', buckets: seconds },
  weir_requests_total: {
    kind: 'counter',
    labels: ['sync', 'vendor', 'reason'],
    help: 'Requests to a vendor by how they ended: ok, redirect, or the reason of their failure.',
  },
  weir_request_seconds: { kind: 'histogram', labels: ['sync', 'vendor'], help: 'Time from a request to its answer.', buckets: seconds },
  weir_received_bytes_total: { kind: 'counter', labels: ['sync', 'vendor'], help: 'Bytes of answers.' },
  weir_request_retries_total: { kind: 'counter', labels: ['sync', 'vendor'], help: 'Requests sent again.' },
  weir_wait_seconds: {
    kind: 'histogram',
    labels: ['sync', 'vendor'],
    help: "Waits for a budget or by a vendor's word, in the worker and as timers of the workflow.",
    buckets: longSeconds,
  },
  weir_budget_used_ratio: {
    kind: 'gauge',
    labels: ['vendor', 'account', 'budget'],
    help: 'Share of a budget that counts as used now, of its fullest window; account is a fingerprint. Of an account’s parts the fullest.',
  },
  weir_stream_runs_total: {
    kind: 'counter',
    labels: [...stream, 'status', 'reason'],
    help: 'Ended runs of a stream; reason is none where nothing failed.',
  },
  weir_runs_total: { kind: 'counter', labels: ['sync', 'status', 'reason'], help: 'Ended runs of a sync.' },
  weir_run_seconds: { kind: 'histogram', labels: ['sync', 'status'], help: 'Time from a run’s start to its end.', buckets: longSeconds },
  weir_quality_failures_total: { kind: 'counter', labels: stream, help: 'Quality checks that did not pass.' },
  weir_slices_open: { kind: 'gauge', labels: stream, help: 'Slices planned and not finished.' },
  weir_dead_letters_open: { kind: 'gauge', labels: stream, help: 'Dead letters that wait for somebody.' },
  weir_alerts_open: { kind: 'gauge', labels: ['kind'], help: 'Alerts that are open, by what they are about; weir alerts lists them.' },
  weir_freshness_seconds: {
    kind: 'gauge',
    labels: stream,
    help: 'Age of what the table shows: time since the start of the last run of the stream that completed.',
  },
} as const satisfies Record<string, Metric>

type Table = typeof metrics
type Named<K extends Metric['kind']> = { [N in keyof Table]: Table[N]['kind'] extends K ? N : never }[keyof Table]
export type Labels<N extends keyof Table> = Record<Table[N]['labels'][number], string>

/** Takes measurements; what is not observed is not measured. */
export interface Meter {
  add: <N extends Named<'counter'>>(name: N, value: number, labels: Labels<N>) => void
  record: <N extends Named<'histogram'>>(name: N, value: number, labels: Labels<N>) => void
  set: <N extends Named<'gauge'>>(name: N, value: number, labels: Labels<N>) => void
}

export const noMeter: Meter = { add() {}, record() {}, set() {} }
