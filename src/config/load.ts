/** Files → one tree: the named file, and those that its `include:` names, each read once, none from outside the project's directory. */
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { type Problems, placeText, plainPath, type Spot, shown } from './errors.js'
import { decode, glob, inside, isGlob, readWithin, realOf } from './files.js'
import { type Entry, type Mapping, spotOf, type Tree, without } from './tree.js'
import { readYaml } from './yaml.js'

const maxFileBytes = 1_048_576
const maxTotalBytes = 2 * maxFileBytes
const maxFiles = 200

export interface Loaded {
  /** Absolute path of the first file, and its directory: the project. */
  file: string
  root: string
  /** How the first file is shown to people. */
  shown: string
  files: string[]
  tree: Mapping
  /** Directory of each file by the name that its positions carry, for paths relative to it. */
  dirs: ReadonlyMap<string, string>
}

/** The project's file: the one named, else `weir.yaml` in `dir`, else `config/weir.yaml` there. */
export function findFile(dir: string, file?: string): { file: string } | { lookedFor: string[] } {
  if (file !== undefined) return { file: resolve(dir, file) }
  const candidates = ['weir.yaml', join('config', 'weir.yaml')]
  const found = candidates.find((name) => existsSync(join(dir, name)))
  return found === undefined ? { lookedFor: candidates } : { file: join(dir, found) }
}

/** Reads the file and all it includes. What is wrong goes to `problems`; the tree is then not to be used. */
export function load(file: string, cwd: string, problems: Problems): Loaded {
  const root = realOf(dirname(file))
  const start = join(root, basename(file))
  const realCwd = realOf(cwd)
  const name = (path: string): string => plainPath(inside(realCwd, path) ? relative(realCwd, path) : path)
  const dirs = new Map<string, string>()
  const files: string[] = []
  const merged = new Map<string, Entry>()
  const origin: Spot = { file: name(start), line: 1, column: 1 }
  let bytes = 0

  function read(path: string, from: Spot, chain: readonly string[]): void {
    if (chain.includes(path)) {
      const round = [...chain.slice(chain.indexOf(path)), path].map(name).join(' → ')
      problems.add(from, ['include'], 'files include each other in a circle', round)
    } else if (files.length >= maxFiles) problems.add(from, ['include'], `more than ${maxFiles} files`)
    else if (!files.includes(path)) readNew(path, from, chain)
  }

  function readNew(path: string, from: Spot, chain: readonly string[]): void {
    const own: Spot = { file: name(path), line: 1, column: 1 }
    const got = readWithin([root], path, maxFileBytes)
    if ('problem' in got) {
      if (path === start) problems.add(own, [], `the file ${got.problem}`)
      else problems.add(from, ['include'], `the file ${shown(relative(root, path))} ${got.problem}`)
      return
    }
    files.push(path)
    dirs.set(own.file, dirname(path))
    bytes += got.bytes.length
    const tree = bytes > maxTotalBytes ? tooMuch(from) : document(got.bytes, own, path === start)
    if (tree === undefined) return
    take(merged, tree, problems)
    for (const { pattern, at } of patterns(tree)) include(pattern, at, path, [...chain, path])
  }

  function tooMuch(from: Spot): undefined {
    problems.add(from, ['include'], 'the files together are larger than 2 MiB, the most that Weir reads')
  }

  function document(content: Buffer, own: Spot, isFirst: boolean): Mapping | undefined {
    const text = decode(content)
    if ('problem' in text) {
      problems.add({ file: own.file, line: text.line, column: text.column }, [], text.problem)
      return undefined
    }
    const tree = readYaml(text.text, own.file, problems)
    if (tree === undefined) return undefined
    if (tree.kind !== 'map') problems.add(tree.at, [], 'a project file is a map of keys', 'it begins with "version: 1"')
    else if (!isFirst || tree.entries.size > 0) return tree
    else problems.add(own, [], 'the file is empty', 'it begins with "version: 1"; `weir init` writes one')
    return undefined
  }

  function include(pattern: string, at: Spot, from: string, chain: readonly string[]): void {
    const dir = dirname(from)
    const target = resolve(dir, isGlob(pattern) ? pattern.slice(0, pattern.search(/[*?]/)) : pattern)
    if (!inside(root, target) || pattern.includes('\0')) {
      const hint = 'what is included lies beside or below the first file'
      problems.add(at, ['include'], `${shown(pattern)} leads outside the project directory`, hint)
      return
    }
    if (/[*?].*\.\.(\/|$)/.test(pattern)) {
      problems.add(at, ['include'], `${shown(pattern)} has ".." after a wildcard`)
      return
    }
    const paths = isGlob(pattern) ? glob(root, dir, pattern) : [target]
    if (paths.length === 0) problems.add(at, ['include'], `no file matches ${shown(pattern)}`)
    for (const path of paths) if (!isGlob(pattern) || path !== from) read(path, at, chain)
  }

  function patterns(tree: Mapping): { pattern: string; at: Spot }[] {
    const value = tree.entries.get('include')?.value
    if (value === undefined) return []
    const items: readonly Tree[] = value.kind === 'list' ? value.items : [value]
    return items.flatMap((item) => {
      if (item.kind === 'scalar' && typeof item.value === 'string' && item.value !== '') return [{ pattern: item.value, at: item.at }]
      problems.add(item.at, ['include'], 'a path, or a list of paths, is wanted here')
      return []
    })
  }

  read(start, origin, [])
  const tree: Mapping = { kind: 'map', at: origin, entries: merged }
  return { file: start, root, shown: origin.file, files, tree: without({ ...tree, at: spotOf(tree, []) }, ['include']), dirs }
}

/** Keys whose entries several files may share out by name. Any other key stands in one file. */
const shared = ['connections', 'syncs', 'models', 'audiences', 'environments']

/** Adds a file's keys to those of the others; a name in two files is an error that names both places. */
function take(merged: Map<string, Entry>, tree: Mapping, problems: Problems): void {
  for (const [key, entry] of tree.entries) {
    const before = merged.get(key)
    if (before === undefined) merged.set(key, entry)
    else if (key === 'include' || (key === 'version' && sameScalar(before.value, entry.value))) continue
    else if (shared.includes(key) && before.value.kind === 'map' && entry.value.kind === 'map') {
      const entries = new Map(before.value.entries)
      for (const [name, inner] of entry.value.entries) {
        const first = entries.get(name)
        if (first) problems.add(inner.key, [key, name], `the name ${shown(name)} is taken`, `it stands at ${placeText(first.key)} too`)
        else entries.set(name, inner)
      }
      merged.set(key, { key: before.key, value: { ...before.value, entries } })
    } else problems.add(entry.key, [key], `the key ${shown(key)} stands in two files`, `it stands at ${placeText(before.key)} too`)
  }
}

const sameScalar = (a: Tree, b: Tree): boolean => a.kind === 'scalar' && b.kind === 'scalar' && a.value === b.value
