/** Reads files that a project may name: regular ones, of bounded size, inside the given directories, links followed and checked. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, realpathSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

export type Read = { bytes: Buffer } | { problem: string }

export const inside = (root: string, path: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

/** The real path of a directory, or the path itself where there is none. */
export function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/**
 * Reads one file. `roots` are the directories it may lie in, by name and in truth.
 * Never blocks on a pipe, never reads beyond `maxBytes`, never opens what lies outside.
 */
export function readWithin(roots: readonly string[], path: string, maxBytes: number): Read {
  const outside = { problem: 'leads outside the project directory' }
  const real = roots.map(realOf)
  if (![...roots, ...real].some((root) => inside(root, path))) return outside
  let file: number | undefined
  try {
    const target = realpathSync(path)
    if (!real.some((root) => inside(root, target))) return outside
    file = openSync(target, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const found = fstatSync(file)
    if (found.isDirectory()) return { problem: 'is a directory, not a file' }
    if (!found.isFile()) return { problem: 'is a device, pipe or socket, not a file' }
    if (found.size > maxBytes) return { problem: `is larger than ${sizeText(maxBytes)}, the most that Weir reads` }
    return readUpTo(file, maxBytes)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'does not exist' }
    if (code === 'ELOOP') return { problem: 'is a link that leads round in a circle' }
    if (code === 'ENXIO' || code === 'ENODEV') return { problem: 'is a device, pipe or socket, not a file' }
    return { problem: `cannot be read (${code ?? 'unknown error'})` }
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function readUpTo(file: number, maxBytes: number): Read {
  const buffer = Buffer.alloc(maxBytes + 1)
  let length = 0
  for (;;) {
    const got = readSync(file, buffer, length, buffer.length - length, null)
    length += got
    if (length > maxBytes) return { problem: `is larger than ${sizeText(maxBytes)}, the most that Weir reads` }
    if (got === 0) return { bytes: buffer.subarray(0, length) }
  }
}

const sizeText = (bytes: number): string => (bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes / 1024} KiB`)

/** Bytes as UTF-8 text without a byte order mark; or where they stop being UTF-8. */
export function decode(bytes: Buffer): { text: string } | { line: number; column: number; problem: string } {
  const [first, second] = [bytes[0], bytes[1]]
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { line: 1, column: 1, problem: 'the file is UTF-16; save it as UTF-8' }
  }
  const text = bytes.toString('utf8')
  const again = Buffer.from(text, 'utf8')
  if (again.equals(bytes)) return { text: text.startsWith('\uFEFF') ? text.slice(1) : text }
  let at = 0
  while (again[at] === bytes[at]) at += 1
  const lines = bytes.subarray(0, at).toString('utf8').split('\n')
  // the differing byte may be inside a sequence whose first bytes agree: the replacement character marks its start
  return {
    line: lines.length,
    column: (lines.at(-1) ?? '').replace(/\uFFFD+$/u, '').length + 1,
    problem: 'the file is not UTF-8 from here on',
  }
}

/** Does a name fit a pattern of `*` and `?`? Linear in practice, never exponential. */
export function fits(name: string, pattern: string): boolean {
  let [at, in_, star, mark] = [0, 0, -1, 0]
  while (at < name.length) {
    if (in_ < pattern.length && (pattern[in_] === '?' || pattern[in_] === name[at]) && pattern[in_] !== '*') {
      at += 1
      in_ += 1
    } else if (pattern[in_] === '*') {
      star = in_
      mark = at
      in_ += 1
    } else if (star >= 0) {
      in_ = star + 1
      mark += 1
      at = mark
    } else return false
  }
  while (pattern[in_] === '*') in_ += 1
  return in_ === pattern.length
}

export const isGlob = (pattern: string): boolean => /[*?]/.test(pattern)

/** Files that a pattern names, sorted. Only directories inside `root` are listed, links to others are not entered. At most `max` are returned. */
export function glob(root: string, dir: string, pattern: string, max = 1000): string[] {
  const found: string[] = []
  let looked = 0
  const walk = (at: string, parts: readonly string[]): void => {
    const [part, ...rest] = parts
    if (part === undefined || found.length >= max) return
    if (!isGlob(part)) {
      const next = resolve(at, part)
      if (rest.length > 0) walk(next, rest)
      else found.push(next)
      return
    }
    if (part === '**') walk(at, rest)
    for (const entry of list(root, at)) {
      looked += 1
      if (looked > 20_000 || entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const path = join(at, entry.name)
      if (part === '**') {
        if (entry.isDirectory()) walk(path, parts)
      } else if (fits(entry.name, part)) {
        if (rest.length > 0) walk(path, rest)
        else if (!entry.isDirectory()) found.push(path)
      }
    }
  }
  walk(
    dir,
    pattern.split('/').filter((part) => part !== '' && part !== '.'),
  )
  return [...new Set(found)].sort()
}

function list(root: string, dir: string): import('node:fs').Dirent[] {
  if (!inside(root, realOf(dir))) return []
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch {
    return []
  }
}
