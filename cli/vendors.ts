import { registry } from '../connectors/registry.js'
import type { Vendor, VendorDestination, VendorStream, Vendors } from '../src/config/vendors.js'
import type { IdentifierKind } from '../src/core/audience.js'
import type { Stream } from '../src/core/types.js'
import type { AudienceDestination, Connector } from '../src/extract/connector.js'
import { columnName } from '../src/schema/names.js'

/** What the configuration must know of each vendor: keys, streams and modes. Loads every connector, and calls none. */
export async function loadVendors(): Promise<Vendors> {
  return Object.fromEntries(
    await Promise.all(Object.entries(registry).map(async ([type, load]) => [type, vendorOf(await load())] as const)),
  )
}

type Known = Pick<Connector, 'title' | 'settings' | 'source' | 'custom'> &
  Partial<Pick<Connector, 'apiVersions' | 'basics' | 'consent' | 'destinations'>>

/** The same of one connector. */
export function vendorOf({ title, settings, basics, source, apiVersions, consent, custom: keys, destinations }: Known): Vendor {
  const make = source.custom
  return {
    title,
    settings,
    ...(basics ? { basics } : {}),
    ...(consent ? { awaitsConsent: consent.isDue } : {}),
    streams: Object.fromEntries(Object.values(source.streams).map((stream) => [stream.name, streamOf(stream)])),
    ...(keys && make ? { custom: { keys, streamOf: (name, given) => streamOf(make(name, given)) } } : {}),
    ...(destinations
      ? { destinations: Object.fromEntries(Object.entries(destinations).map(([kind, one]) => [kind, destinationOf(one)])) }
      : {}),
    ...(apiVersions ? { defaultApiVersion: apiVersions[0], apiVersions } : {}),
  }
}

function destinationOf({ destination, keys }: AudienceDestination): VendorDestination {
  const { modes, identifiers, needs, takesFields = false } = destination
  return { modes, identifiers: Object.keys(identifiers) as IdentifierKind[], needs, takesFields, ...(keys ? { keys } : {}) }
}

function streamOf({ mode, modes, isDefault, key, cursor, deletedAt, bounds, passes, fields, discover, total }: Stream): VendorStream {
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
    hasRanges: passes.some(({ slicing }) => slicing.by === 'time'),
    columns,
    fields: Object.fromEntries(Object.entries(fields).map(([field, { type }]) => [field, type])),
    discovers: discover !== undefined,
    key,
    ordering: [cursor?.field, deletedAt, bounds?.range, bounds?.parent].filter((field) => field !== undefined),
    hasTotal: total !== undefined,
  }
}
