/**
 * `${NAME}`, `${NAME:-default}`, `${file:path}` and `$${` (a literal `${`), in one place: the files and the worker read them by these rules.
 * A default counts when the variable is not set or is empty. Nothing nests.
 */
import { resolve } from 'node:path'
import { parse } from 'dotenv'
import { type Read, readWithin } from './files.js'

export type Part = string | { variable: string; fallback?: string } | { file: string }

/** What a text is made of, or why it cannot be read. */
export function partsOf(text: string): Part[] | { problem: string } {
  const parts: Part[] = []
  let at = 0
  for (;;) {
    const start = text.indexOf('${', at)
    if (start < 0) break
    if (start > at && text[start - 1] === '$') {
      parts.push(text.slice(at, start - 1), '${')
      at = start + 2
      continue
    }
    parts.push(text.slice(at, start))
    const end = text.indexOf('}', start)
    if (end < 0) return { problem: 'a reference "${" that is not closed' }
    const part = referenceOf(text.slice(start + 2, end))
    if ('problem' in part) return part
    parts.push(part)
    at = end + 1
  }
  parts.push(text.slice(at))
  return parts.filter((part) => part !== '')
}

function referenceOf(inner: string): Exclude<Part, string> | { problem: string } {
  if (inner.includes('${')) return { problem: 'a reference inside a reference' }
  const file = /^file:(.+)$/.exec(inner)?.[1]
  if (file !== undefined) return { file }
  const [, variable, fallback] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inner) ?? []
  if (variable === undefined) return { problem: 'not a reference: use ${NAME}, ${NAME:-default} or ${file:path}, and $${ for a literal ${' }
  return fallback === undefined ? { variable } : { variable, fallback }
}

/** Where values come from. */
export interface Sources {
  /** The environment, which always wins. */
  env: Readonly<Record<string, string | undefined>>
  /** A `.env` file: read at each use, never overriding the environment. */
  envFile?: string
  /** The project's directory: `${file:…}` is relative to it and must lie in it, or where container platforms put secrets. */
  baseDir: string
}

const maxValueBytes = 65_536

/** Directories besides the project's from which `${file:…}` may read: Docker's and Kubernetes' own, and `WEIR_SECRETS_DIR`. */
const secretRoots = ({ env, baseDir }: Sources): string[] => [
  baseDir,
  '/run/secrets',
  '/var/run/secrets',
  ...(env.WEIR_SECRETS_DIR ? [resolve(env.WEIR_SECRETS_DIR)] : []),
]

/** Reads `.env`: its variables, or why it cannot be read. None is fine. */
export function readEnvFile({ envFile, baseDir }: Sources): { variables: Record<string, string> } | { problem: string } {
  if (envFile === undefined) return { variables: {} }
  const read = readWithin([baseDir], envFile, maxValueBytes)
  if ('bytes' in read) return { variables: { ...parse(read.bytes) } }
  return read.problem === 'does not exist' ? { variables: {} } : read
}

export type Look = (part: Exclude<Part, string>) => { value: string } | { problem: string; hint?: string }

/** Looks references up: the environment first, then `.env`, both as they are now. */
export function lookIn(sources: Sources): Look {
  const fromFile = readEnvFile(sources)
  const variables = 'variables' in fromFile ? fromFile.variables : {}
  const files = new Map<string, Read>()
  return (part) => {
    if ('file' in part) {
      const path = resolve(sources.baseDir, part.file)
      const read = files.get(path) ?? readWithin(secretRoots(sources), path, maxValueBytes)
      files.set(path, read)
      if ('problem' in read) return { problem: `the file of \${file:…} ${read.problem}` }
      return { value: read.bytes.toString('utf8').replace(/\r?\n$/, '') }
    }
    const own = (from: Readonly<Record<string, string | undefined>>): string | undefined =>
      Object.hasOwn(from, part.variable) ? from[part.variable] : undefined
    const value = own(sources.env) ?? own(variables)
    if (value !== undefined && (value !== '' || part.fallback === undefined)) return { value }
    if (part.fallback !== undefined) return { value: part.fallback }
    return { problem: `the variable ${part.variable} is not set`, hint: 'set it in the environment or in .env beside weir.yaml' }
  }
}

/** The text with its references replaced, or everything that stands against it. */
export function resolveText(text: string, look: Look): { value: string } | { problems: { problem: string; hint?: string }[] } {
  const parts = partsOf(text)
  if ('problem' in parts) return { problems: [parts] }
  const problems: { problem: string; hint?: string }[] = []
  const values: string[] = []
  let length = 0
  for (const part of parts) {
    const found = typeof part === 'string' ? { value: part } : look(part)
    if ('problem' in found) problems.push(found)
    else values.push(found.value)
    length += 'value' in found ? found.value.length : 0
    if (length > Math.max(maxValueBytes, text.length)) return { problems: [{ problem: 'its references make a value larger than 64 KiB' }] }
  }
  return problems.length > 0 ? { problems } : { value: values.join('') }
}

/** Text in which nothing is a reference any more, written so that reading it again gives the same text. */
export const escaped = (text: string): string => text.replaceAll('${', () => '$${')
