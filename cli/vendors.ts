import { registry } from '../connectors/registry.js'
import type { Vendors } from '../src/config/vendors.js'

/** What the configuration must know of each vendor: keys, streams and modes. Loads every connector, and calls none. */
export async function loadVendors(): Promise<Vendors> {
  const entries = await Promise.all(
    Object.entries(registry).map(async ([type, load]) => {
      const { title, settings, source, apiVersions } = await load()
      const streams = Object.fromEntries(
        Object.values(source.streams).map(({ name, mode, modes, isDefault, key, fields, discover, cursor, deletedAt }) => [
          name,
          {
            mode,
            modes,
            isDefault,
            hasCursor: cursor !== undefined,
            fields: Object.fromEntries(Object.entries(fields).map(([field, { type }]) => [field, type])),
            discovers: discover !== undefined,
            key,
            ordering: [cursor?.field, deletedAt].filter((field) => field !== undefined),
          },
        ]),
      )
      return [type, { title, settings, streams, ...(apiVersions ? { defaultApiVersion: apiVersions[0]!, apiVersions } : {}) }] as const
    }),
  )
  return Object.fromEntries(entries)
}
