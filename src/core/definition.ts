import type { AlertTarget, Freshness } from './alerts.js'
import type { QualityCheck } from './quality.js'
import type { SyncMode } from './types.js'

/** What happens to a field that has no column: add it, keep it in `_weir_extra`, keep it there and ask, or stop. */
export type SchemaPolicy = 'evolve' | 'capture' | 'approve' | 'freeze'

/**
 * One sync, compiled: all that a run needs, stored once under its hash in `_weir.definitions`.
 * Secrets are references (`${KLAVIYO_API_KEY}`), resolved inside the worker at use.
 */
export interface Definition {
  version: 1
  project: string
  sync: string
  /** Warehouse schema the tables go to. */
  schema: string
  connection: ConnectionDefinition
  /** Stream name → settings; exactly what is read. */
  streams: Record<string, StreamSettings>
  /** What becomes of fields of streams that are looked at without being read (`preview`); those that are read name their own. */
  columns?: ColumnActions
  deadLetters: DeadLetterSettings
  /** Whom to tell of what. */
  alerts?: readonly AlertTarget[]
  /** How old what is complete may be. */
  freshness?: Freshness
  /** Streams read at once. */
  concurrency: number
  timezone: string
}

/** When a sync runs by itself. */
export type Schedule = { everyMs: number } | { cron: string; timezone: string; jitterMs?: number; catchUpMs?: number }

export interface DeadLetterSettings {
  /** More in one run of a stream, and it fails. */
  maxRows: number
  /** A larger share of the records read, in percent, and it fails. */
  maxPercent: number
  /** Letters are kept so long; without it closed ones 90 days and open ones for good. */
  retentionMs?: number
  /** Are payloads of records sealed with WEIR_KEY? */
  encrypt?: boolean
}

export interface ConnectionDefinition {
  name: string
  type: string
  /** Where the vendor is, when not at its own address. */
  baseUrl?: string
  apiVersion?: string
  /** `off` (loopback only), or what replaces the connector's own windows. */
  budget?: 'off' | { requests?: { count: number; perMs: number }; perDay?: number; concurrency?: number; backfillShare?: number }
  owner?: string
  allowPrivateHosts?: boolean
  /** The vendor's own keys: literals, or references for secrets. */
  settings: Record<string, unknown>
}

export interface StreamSettings {
  mode?: SyncMode
  /** A stream that the user defines: the vendor's own keys of it. */
  custom?: Readonly<Record<string, unknown>>
  onSchemaChange?: SchemaPolicy
  /** `off`: the vendor is not asked for what was deleted, where that takes requests of its own. */
  deletions?: 'off'
  /** A snapshot smaller than the standing table by more than this share, in percent, does not take its place. */
  maxShrinkPercent?: number
  /** Nothing older is read: an ISO instant, or whole days before the run (`-90d`), so that the hash stays the same from day to day. */
  start?: string
  lookbackMs?: number
  sliceDays?: number
  parallel?: number
  /** What is checked of the table after each run. */
  quality?: readonly QualityCheck[]
  /** What becomes of fields before anything is written. */
  columns?: ColumnActions
  /** Keep each record beside its row, as it was read, after the column policy. */
  raw?: 'keep'
  /** What differs from the sync's. */
  deadLetters?: Partial<DeadLetterSettings>
  /** In place of the sync's. */
  freshness?: Freshness | 'off'
}

/** Leave it out; a keyed hash in its place; the shape of the text alone. */
export type ColumnAction = 'drop' | 'hash' | 'mask'
/** Vendor's field name, or a dotted path into one, → what becomes of it. */
export type ColumnActions = Readonly<Record<string, ColumnAction>>
