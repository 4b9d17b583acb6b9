import { noCounts } from '../../src/core/receipt.js'
import type { Overview, RunReport, StreamStatus } from '../../src/warehouse/contract/reports.js'

const reported = { ...noCounts(), seconds: 30, schemaChanges: 0, checks: 0, failedChecks: 0 }

export const streamStatus = (changes: Partial<StreamStatus> = {}): StreamStatus => ({
  ...reported,
  run: 'run-1',
  sync: 'shop',
  stream: 'orders',
  status: 'completed',
  startedAt: '2026-11-27T11:00:00.000Z',
  finishedAt: '2026-11-27T11:00:30.000Z',
  lastCompletedAt: '2026-11-27T11:00:30.000Z',
  completeUpTo: '2026-11-27T11:00:00.000Z',
  spent: {},
  openSlices: 0,
  openDeadLetters: 0,
  pendingChanges: 0,
  ...changes,
})

export const runReport = (changes: Partial<RunReport> = {}): RunReport => ({
  ...reported,
  run: 'run-1',
  sync: 'shop',
  definition: 'hash',
  kind: 'scheduled',
  warnings: [],
  workflow: 'sync/shop',
  status: 'completed',
  startedAt: '2026-11-27T11:00:00.000Z',
  finishedAt: '2026-11-27T11:00:30.000Z',
  streams: 1,
  streamsDone: 1,
  ...changes,
})

/** One sync with one stream and one run, an hour after it ended. Override what a test is about. */
export const overview = (changes: Partial<Overview> = {}): Overview => ({
  at: '2026-11-27T12:00:30.000Z',
  syncs: { shop: { connection: 'my-shop', vendor: 'fake', schema: 'shop' } },
  statuses: [streamStatus()],
  runs: [runReport()],
  days: [{ sync: 'shop', day: '2026-11-27', runs: 1, failed: 0, loaded: 1_234, deadLetters: 0 }],
  budgets: [],
  letters: [],
  pending: [],
  ...changes,
})
