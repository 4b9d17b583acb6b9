/** What the configuration must know of vendors. It is handed in: this room knows none by name. */
import type * as z from 'zod'
import type { AudienceMode, IdentifierKind } from '../core/audience.js'
import type { CheckedColumn } from '../core/quality.js'
import type { FieldType, SyncMode } from '../core/types.js'

export interface Vendor {
  title: string
  /** The vendor's own keys; secrets are marked `.meta({ secret: true })`, keys ending in `_url` are addresses. */
  settings: z.ZodObject
  /** Do these settings wait for a person's consent (`weir connect`)? Secrets may be references: what counts is what is given. */
  awaitsConsent?: (settings: Readonly<Record<string, unknown>>) => boolean
  /** Those of them that a new project is given. */
  basics?: readonly string[]
  streams: Readonly<Record<string, VendorStream>>
  /** Streams that the user defines. */
  custom?: {
    /** The vendor's own keys of one; a stream has at least one of them. */
    keys: z.ZodObject
    /** @throws Failure `config` when the keys make no stream */
    streamOf: (name: string, given: Record<string, unknown>) => VendorStream
  }
  /** What audiences go to, by the key that names the target. */
  destinations?: Readonly<Record<string, VendorDestination>>
  defaultApiVersion?: string
  /** Versions that work, where there are several. */
  apiVersions?: readonly string[]
}

export interface VendorDestination {
  modes: readonly AudienceMode[]
  identifiers: readonly IdentifierKind[]
  /** A member has all of one of these. */
  needs: readonly (readonly IdentifierKind[])[]
  takesFields: boolean
  /** The vendor's own keys beside the target. */
  keys?: z.ZodObject
}

export interface VendorStream {
  mode: SyncMode
  modes: readonly SyncMode[]
  /** Is it read when a sync names no streams? */
  isDefault: boolean
  hasCursor: boolean
  /** Is it read by ranges of time without one? Then `start`, `lookback` and `slice` mean something all the same. */
  hasRanges?: boolean
  /** Columns of the declared fields. */
  columns?: readonly CheckedColumn[]
  /** Does the vendor report how many records there are? */
  hasTotal?: boolean
  /** Declared fields. */
  fields: Readonly<Record<string, FieldType>>
  /** Are there more fields than the declared ones, which only the vendor knows? */
  discovers: boolean
  key: readonly string[]
  /** Fields that order the versions of a row: cursor, mark of deletion. */
  ordering: readonly string[]
}

export type Vendors = Readonly<Record<string, Vendor>>
