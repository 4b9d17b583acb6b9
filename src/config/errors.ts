/** What is wrong with a project's files: all of it at once, each with its place, in one line a person can act on. */
import { distance } from 'fastest-levenshtein'
import { Failure } from '../core/failure.js'

/** A place in a file; `file` as it is shown to people, lines and columns from 1. */
export interface Spot {
  file: string
  line: number
  column: number
}

export interface ConfigError extends Spot {
  /** Where in the document: `syncs.klaviyo.from`; empty for the whole file. */
  path: string
  message: string
  /** What to do about it. */
  hint?: string
}

/** `weir.yaml:12:5` */
export const placeText = ({ file, line, column }: Spot): string => `${file}:${line}:${column}`

/** `weir.yaml:12:5: syncs.klaviyo.from: no connection "klavio"; did you mean "klaviyo"?` */
export function errorLine({ path, message, hint, ...at }: ConfigError): string {
  const where = `${placeText(at)}: ${path === '' ? '' : `${path}: `}`
  return `${where}${message}${hint === undefined ? '' : `; ${hint}`}`
}

/** Thrown once, with everything that was found. Its message is the lines, ready to print. */
export class ConfigErrors extends Failure {
  readonly errors: readonly ConfigError[]

  constructor(errors: readonly ConfigError[]) {
    super('config', errors.map(errorLine).join('\n'))
    this.errors = errors
  }
}

/** More than this many and the file is not a project; memory and time stay bounded. */
const maxErrors = 500

/** Gathers what is wrong. */
export class Problems {
  private readonly found = new Map<string, ConfigError>()
  private omitted = 0

  add(at: Spot, path: readonly string[], message: string, hint?: string): void {
    const error: ConfigError = { ...at, path: pathText(path), message, ...(hint === undefined ? {} : { hint }) }
    // the same thing at the same place is one fault, by whatever way it was met
    const key = errorLine({ ...error, path: '' })
    if (this.found.size >= maxErrors) this.omitted += 1
    else if (!this.found.has(key)) this.found.set(key, error)
  }

  get any(): boolean {
    return this.found.size > 0
  }

  /** So many that more would not be listed. */
  get full(): boolean {
    return this.found.size >= maxErrors
  }

  /** By file (`first` before the others), then by position. */
  list(first: string): ConfigError[] {
    const order = (a: ConfigError, b: ConfigError): number =>
      Number(b.file === first) - Number(a.file === first) ||
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.line - b.line ||
      a.column - b.column
    const sorted = [...this.found.values()].sort(order)
    const last = sorted.at(-1)
    if (this.omitted > 0 && last) sorted.push({ ...last, path: '', message: `and more; only the first ${maxErrors} are listed` })
    return sorted
  }
}

const pathText = (path: readonly string[]): string =>
  path.map((part, index) => (/^[\w*]{1,60}$/.test(part) ? `${index === 0 ? '' : '.'}${part}` : `[${shown(part)}]`)).join('')

/** Text from a file in quotes, on one line, short, with nothing a terminal would obey. */
export function shown(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text
  const coded = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
  return `"${short.replace(/["\\]/g, '\\$&').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, coded)}"`
}

/** A path for people: no control characters, and relative where `weir` was called. */
export const plainPath = (path: string): string => path.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')

/** The one of `known` that was probably meant. */
export function didYouMean(text: string, known: readonly string[]): string | undefined {
  let best: { word: string; far: number } | undefined
  for (const word of known.slice(0, 200)) {
    const most = Math.max(1, Math.floor(word.length / 3))
    if (Math.abs(word.length - text.length) > most) continue
    const far = distance(text.toLowerCase(), word.toLowerCase())
    if (far <= most && far < (best?.far ?? Number.POSITIVE_INFINITY)) best = { word, far }
  }
  return best?.word
}

/** The hint of an unknown word: `did you mean "klaviyo"?`, or all there are. */
export function nearOrAll(text: string, known: readonly string[], what: string): string {
  const near = didYouMean(text, known)
  if (near !== undefined) return `did you mean ${shown(near)}?`
  if (known.length === 0) return `there are no ${what}`
  const some = known.slice(0, 20).map((word) => (/^[\w*-]+$/.test(word) ? word : shown(word)))
  return `${what}: ${some.join(', ')}${known.length > 20 ? ', …' : ''}`
}
