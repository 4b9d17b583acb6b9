import type { AlertKind, AlertTarget } from '../../../src/core/alerts.js'
import { alertKinds } from '../../../src/core/alerts.js'
import type { Definition } from '../../../src/core/definition.js'
import type { AlertRow, StreamFacts, SyncFacts, Verdict } from '../../../src/warehouse/contract/alerts.js'
import { fakeDefinition } from '../../support/fake-source.js'

export const hour = 3_600_000
export const now = '2026-06-02T00:00:00.000Z'
export const ago = (ms: number, from = now): string => new Date(Date.parse(from) - ms).toISOString()

export const webhook = (more: Partial<AlertTarget> & { url?: string } = {}): AlertTarget =>
  ({ kind: 'webhook', url: '${HOOK}', on: alertKinds, repeatMs: 24 * hour, quotaWaitMs: hour / 2, ...more }) as AlertTarget
export const listening = (...on: AlertKind[]): AlertTarget => webhook({ on })

export const watched = (more: Partial<Definition> = {}): Definition =>
  fakeDefinition({ sync: 'shop', streams: { people: {}, orders: {} }, alerts: [webhook()], ...more })

export const stream = (more: Partial<StreamFacts> = {}): StreamFacts => ({
  stream: 'people',
  letters: [],
  checks: [],
  changes: [],
  pending: [],
  completedFrom: ago(hour),
  ...more,
})
export const facts = (streams: readonly Partial<StreamFacts>[], more: Partial<SyncFacts> = {}): SyncFacts => ({
  sync: 'shop',
  definition: 'hash',
  now,
  streams: streams.map(stream),
  ...more,
})
export const failedWith = (reason: string, name = 'people'): Partial<StreamFacts> => ({
  stream: name,
  last: { run: 'r1', status: 'failed', failure: { reason, message: `it said ${reason}` }, finishedAt: ago(60_000) },
})

/** Alerts as they would stand after a verdict. */
export const standing = (verdict: Verdict, at = now): AlertRow[] =>
  verdict.open.map(({ waitMs: _, ...condition }, index) => ({
    ...condition,
    id: String(index + 1),
    sync: 'shop',
    openedAt: at,
    lastSeenAt: at,
  }))
