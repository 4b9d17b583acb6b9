import { registry } from '../connectors/registry.js'
import type { VendorStream, Vendors } from '../src/config/vendors.js'
import type { Stream } from '../src/core/types.js'
import { columnName } from '../src/schema/names.js'

/** What the configuration must know of each vendor: keys, streams and modes. Loads every connector, and calls none. */
export async function loadVendors(): Promise<Vendors> {
  const entries = await Promise.all(
    Object.entries(registry).map(async ([type, load]) => {
      const { title, settings, source, apiVersions } = await load()
      const streams = Object.fromEntries(Object.values(source.streams).map((stream) => [stream.name, streamOf(stream)]))
      return [type, { title, settings, streams, ...(apiVersions ? { defaultApiVersion: apiVersions[0]!, apiVersions } : {}) }] as const
    }),
  )
  return Object.fromEntries(entries)
}

function streamOf({ mode, modes, isDefault, key, cursor, deletedAt, bounds, fields, discover, total }: Stream): VendorStream {
  const taken = new Set<string>()
  const columns = Object.entries(fields).map(([field, { type }]) => {
    const name = columnName(field, taken)
    taken.add(name)
    return { field, name, type }
  })
  return {
    mode,
    modes,
    isDefault,
    hasCursor: cursor !== undefined,
    columns,
    fields: Object.fromEntries(Object.entries(fields).map(([field, { type }]) => [field, type])),
    discovers: discover !== undefined,
    key,
    ordering: [cursor?.field, deletedAt, bounds?.range, bounds?.parent].filter((field) => field !== undefined),
    hasTotal: total !== undefined,
  }
}
