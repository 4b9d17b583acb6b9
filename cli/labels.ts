import { defineSearchAttributeKey } from '@temporalio/common'

/** What a workflow is about; `kind` as in `WeirKind`. */
export interface Subject {
  sync: string
  stream?: string
  vendor?: string
  kind: string
  /** Hash of the definition that it runs by. */
  definition: string
  /** Does it tell its own status as it goes on (`WeirStatus`)? */
  tellsStatus: boolean
}

/** What every workflow of Weir can be found by in Temporal, and the memo that goes with it. */
export function labels({ sync, stream, vendor, kind, definition, tellsStatus }: Subject) {
  const values = { WeirSync: sync, WeirStream: stream, WeirVendor: vendor, WeirKind: kind, WeirStatus: tellsStatus ? 'running' : undefined }
  return {
    memo: { definition },
    typedSearchAttributes: Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [{ key: defineSearchAttributeKey(name, 'KEYWORD'), value }],
    ),
  }
}
