import { registry } from '../connectors/registry.js'
import type { Pass, Stream } from '../src/core/types.js'

/** What can be read of a vendor, as `weir catalog` and docs/reference/sources say it. */
export interface CatalogEntry {
  type: string
  title: string
  versions: { name: string; sunset?: string }[]
  budgets: { name: string; windows: string; concurrency: number }[]
  streams: CatalogStream[]
  /** Keys of a stream that the user defines; none where a vendor has none. */
  custom: string[]
}

export interface CatalogStream {
  stream: string
  description: string
  /** The vendor's own identifiers of a record. */
  key: readonly string[]
  cursor?: string
  mode: string
  modes: readonly string[]
  isDefault: boolean
  /** How it is read: in ranges of time, by parent or whole, and how far back again. */
  reads: string
  /** How deletions show. */
  deletions: string
}

/** @param type one vendor; all of them without it */
export async function catalog(type?: string): Promise<CatalogEntry[]> {
  const chosen = Object.entries(registry).filter(([name]) => type === undefined || name === type)
  return Promise.all(
    chosen.map(async ([name, load]) => {
      const { title, api, source, custom } = await load()
      return {
        type: name,
        title,
        versions: api.versions.map((version) => ({ ...version })),
        budgets: Object.entries(api.budgets).map(([budget, { windows, concurrency }]) => ({
          name: budget,
          windows: windows.map(({ count, perMs }) => `${count} in ${span(perMs)}`).join(', '),
          concurrency,
        })),
        streams: Object.values(source.streams).map(streamOf),
        custom: Object.keys(custom?.shape ?? {}),
      }
    }),
  )
}

function streamOf({ name, description, key, cursor, mode, modes, isDefault, passes, deletedAt }: Stream): CatalogStream {
  return {
    stream: name,
    description,
    key,
    ...(cursor ? { cursor: cursor.field } : {}),
    mode,
    modes,
    isDefault,
    reads: passes
      .filter(({ seesDeletions }) => !seesDeletions)
      .map(readsOf)
      .join('; '),
    deletions: deletionsOf(mode, deletedAt, passes),
  }
}

function deletionsOf(mode: string, deletedAt: string | undefined, passes: readonly Pass[]): string {
  if (mode === 'replace' || mode === 'replace_slice') return 'gone'
  if (deletedAt === undefined) return 'not shown'
  return passes.some(({ seesDeletions }) => seesDeletions) ? 'marked, by requests of their own' : 'marked'
}

function readsOf({ name, slicing }: Pass): string {
  const what = name === 'main' ? '' : `${name}: `
  if (slicing.by === 'all') return `${what}whole`
  if (slicing.by === 'parent') return `${what}one parent after the other`
  const { days, lookbackMs, lagMs, parents } = slicing
  const parts = [
    days === undefined ? 'what changed' : `${days} ${days === 1 ? 'day' : 'days'} at a time`,
    ...(parents ? ['by account'] : []),
    ...(lookbackMs > 0 ? [`${span(lookbackMs)} again`] : []),
    ...(lagMs > 0 ? [`${span(lagMs)} behind now`] : []),
  ]
  return what + parts.join(', ')
}

/** 604800000 → 7 d */
function span(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const
  const [unit, word] = units.find(([one]) => ms % one === 0) ?? [1, 'ms']
  return `${ms / unit} ${word}`
}
