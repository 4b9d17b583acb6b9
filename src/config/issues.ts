/** Zod's findings as errors with a place. Values are named only where they cannot be secret. */
import type * as z from 'zod'
import { type Problems, shown } from './errors.js'
import { find, isMissing, keySpot, type Path, plain, spotOf, type Tree } from './tree.js'

type Issue = z.core.$ZodIssue

/** A project while it is judged: its tree with references resolved, and what was found wrong. */
export interface Judged {
  tree: Tree
  problems: Problems
}

/** Adds an error at a value, unless that value's reference is what is wrong and reported already. */
export function complain({ tree, problems }: Judged, path: Path, message: string, hint?: string): void {
  if (!isMissing(tree, path)) problems.add(spotOf(tree, path), path, message, hint)
}

/** The same, at a key. */
export function complainOfKey({ tree, problems }: Judged, path: Path, message: string, hint?: string): void {
  problems.add(keySpot(tree, path), path, message, hint)
}

interface Options {
  /** Judge this value instead of the one in the tree. */
  value?: unknown
  /** Keys of which enough is said already. */
  skip?: readonly string[]
}

/** Parses what stands at `path`. Undefined when it is wrong, which is then reported. */
export function parseAt<T>(type: z.ZodType<T>, judged: Judged, path: Path, options: Options = {}): T | undefined {
  const node = find(judged.tree, path)
  const parsed = type.safeParse('value' in options ? options.value : node && plain(node))
  if (parsed.success) return parsed.data
  const said = new Set<string>()
  for (const issue of parsed.error.issues) {
    const at = issue.path.join('.')
    if (options.skip?.includes(String(issue.path[0])) || (said.has(at) && issue.code !== 'unrecognized_keys')) continue
    said.add(at)
    report(issue, judged, path)
  }
  return undefined
}

function report(issue: Issue, judged: Judged, base: Path): void {
  const path = [...base, ...issue.path.map(String)]
  if (isMissing(judged.tree, path)) return
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n')
    issue.keys.forEach((key, index) => {
      complainOfKey(judged, [...path, key], messages[index] ?? messages[0] ?? 'unknown key')
    })
    return
  }
  if (issue.code === 'invalid_union') {
    // the branch meant is the one whose kind of value stands here
    const branch = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))
    if (branch) for (const inner of branch) report(inner, judged, path)
    else complain(judged, path, `${unionMessage(issue)}${foundText(judged, path)}`)
    return
  }
  if (find(judged.tree, path) === undefined && issue.path.length > 0 && issue.code !== 'custom') {
    complain(judged, path.slice(0, -1), `${shown(path.at(-1) ?? '')} is missing`)
    return
  }
  complain(judged, path, `${messageOf(issue)}${hasFound(issue) ? foundText(judged, path) : ''}`)
}

/** Do the words say what was expected, so that what was found may follow? */
const hasFound = (issue: Issue): boolean => issue.code !== 'custom' || issue.params?.found === true || issue.message.startsWith('expected')

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys',
  record: 'a map of keys',
  array: 'a list',
}

const unionMessage = (issue: Issue & { code: 'invalid_union' }): string => {
  if (issue.message !== 'Invalid input') return issue.message
  return `expected ${[...new Set(issue.errors.flatMap((issues) => issues.map(messageOf)).map((message) => message.replace(/^expected /, '')))].join(' or ')}`
}

function messageOf(issue: Issue): string {
  const own = !/^(Invalid|Too|Unrecognized)/.test(issue.message)
  if (own) return issue.message
  if (issue.code === 'invalid_type') return `expected ${kinds[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `expected ${issue.values.map((value) => shown(String(value))).join(' or ')}`
  const things =
    issue.code === 'too_small' || issue.code === 'too_big' ? ({ string: ' characters', array: ' items' }[issue.origin as string] ?? '') : ''
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${things}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${things}`
  return issue.message.replace(/^I/, 'i')
}

/** Where a misplaced value may be a secret. */
const isDiscreet = (path: Path): boolean => {
  const [top, , key] = path
  return top === 'warehouse' || top === 'environments' || (top === 'connections' && key !== 'budget') || path.includes('alerts')
}

/** `, found "15 minits"`; only the kind of value where it might be secret, and the reference where it came from one. */
function foundText(judged: Judged, path: Path): string {
  const node = find(judged.tree, path)
  if (!node) return ''
  if (node.kind !== 'scalar') return `, found ${node.kind === 'map' ? 'a map' : 'a list'}`
  if (node.value === null) return ', found nothing'
  if (node.written !== undefined) return `, which the value of ${shown(node.written)} is not`
  const { value } = node
  if (isDiscreet(path)) return ''
  return `, found ${typeof value === 'string' ? shown(value) : value}`
}
