/** A YAML document as Weir keeps it: every key and value remembers where it stands. */
import type { Spot } from './errors.js'

export type Tree = Mapping | List | Scalar

export interface Mapping {
  kind: 'map'
  at: Spot
  entries: ReadonlyMap<string, Entry>
}
export interface Entry {
  key: Spot
  value: Tree
}
export interface List {
  kind: 'list'
  at: Spot
  items: readonly Tree[]
}
export interface Scalar {
  kind: 'scalar'
  at: Spot
  value: string | number | boolean | null
  /** As it was written, when it held a reference: what people see in the value's place. */
  written?: string
  /** A reference in it could not be resolved, which is reported already. */
  missing?: true
}

export type Path = readonly string[]

/** What stands at `path`, or undefined. */
export function find(tree: Tree, path: Path): Tree | undefined {
  let at: Tree | undefined = tree
  for (const part of path) {
    if (at?.kind === 'map') at = at.entries.get(part)?.value
    else if (at?.kind === 'list') at = at.items[Number(part)]
    else return undefined
  }
  return at
}

/** Where to point for `path`: the value, or the nearest map around what is missing. */
export function spotOf(tree: Tree, path: Path): Spot {
  for (let length = path.length; length > 0; length -= 1) {
    const there = find(tree, path.slice(0, length))
    if (there) return there.at
  }
  return tree.at
}

/** Where the key of `path` stands. */
export function keySpot(tree: Tree, path: Path): Spot {
  const parent = find(tree, path.slice(0, -1))
  const entry = parent?.kind === 'map' ? parent.entries.get(path.at(-1) ?? '') : undefined
  return entry?.key ?? spotOf(tree, path)
}

/** Is `path`, or something above it, a value whose reference could not be resolved? */
export function isMissing(tree: Tree, path: Path): boolean {
  const there = find(tree, path)
  if (there) return there.kind === 'scalar' && there.missing === true
  return path.length > 0 && isMissing(tree, path.slice(0, -1))
}

/** The keys of a map; none for anything else. */
export const keysOf = (tree: Tree | undefined): string[] => (tree?.kind === 'map' ? [...tree.entries.keys()] : [])

/** The text at `path`, if text stands there and is whole. */
export function textAt(tree: Tree, path: Path): string | undefined {
  const there = find(tree, path)
  return there?.kind === 'scalar' && typeof there.value === 'string' && !there.missing ? there.value : undefined
}

/** Plain JavaScript values, for zod. Names that objects inherit never get this far: reading refuses them. */
export function plain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(plain)
  return Object.fromEntries([...tree.entries].map(([key, { value }]) => [key, plain(value)]))
}

/** A copy without the given keys of the outermost map. */
export function without(tree: Mapping, keys: readonly string[]): Mapping {
  return { ...tree, entries: new Map([...tree.entries].filter(([key]) => !keys.includes(key))) }
}

/** `over` laid onto `base`: maps merge by name, anything else replaces. */
export function overlaid(base: Tree, over: Tree): Tree {
  if (base.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map(base.entries)
  for (const [name, entry] of over.entries) {
    const below = entries.get(name)
    entries.set(name, below ? { key: below.key, value: overlaid(below.value, entry.value) } : entry)
  }
  return { ...base, entries }
}

/** Each scalar changed by `change`, which also learns its path. */
export function mapScalars(tree: Tree, change: (scalar: Scalar, path: Path) => Scalar, path: Path = []): Tree {
  if (tree.kind === 'scalar') return change(tree, path)
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item, index) => mapScalars(item, change, [...path, String(index)])) }
  const entries = new Map<string, Entry>()
  for (const [key, entry] of tree.entries) entries.set(key, { key: entry.key, value: mapScalars(entry.value, change, [...path, key]) })
  return { ...tree, entries }
}
