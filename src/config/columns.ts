/** Column policies: which rule reaches which field of which stream, and what no rule may touch. */
import type { ColumnAction, ColumnActions } from '../core/definition.js'
import { nearOrAll, shown } from './errors.js'
import { complainOfKey, type Judged } from './issues.js'
import { keySpot, type Path } from './tree.js'
import type { VendorStream } from './vendors.js'

type Columns = Readonly<Record<string, ColumnAction>>
/** One step of the cascade that may hold rules. */
export interface ColumnLayer {
  path: Path
  given: { columns?: Columns | undefined }
}

/** What a rule's name means in a stream: a field, something inside one, or what only the vendor may know. */
type Meaning = { kind: 'field' | 'inside'; field: string } | { kind: 'unknown'; field: string }

/** Rules met so far, by the place of their key; what each name was found to mean, at best. */
export type Reached = Map<string, { path: Path; found: boolean; maybe: boolean }>

/** Rules of several layers: of one field the innermost counts. */
export function merged(layers: readonly ColumnLayer[]): { columns?: ColumnActions } {
  const columns = Object.assign({}, ...layers.map(({ given }) => given.columns)) as Columns
  return Object.keys(columns).length === 0 ? {} : { columns }
}

/**
 * The rules of one stream. Rules of the last layer are the stream's own: each must mean something there. Those from above reach
 * the streams that have such a field, and are noted in `reached`.
 */
export function streamColumns(
  judged: Judged,
  name: string,
  stream: VendorStream,
  layers: readonly ColumnLayer[],
  reached: Reached,
): { columns?: ColumnActions } {
  const own = layers.at(-1)
  const kept = new Map<string, { path: Path; meaning: Meaning; action: ColumnAction }>()
  for (const layer of layers) {
    for (const [rule, action] of Object.entries(layer.given.columns ?? {})) {
      const meaning = meaningOf(rule, stream)
      const path = [...layer.path, 'columns', rule]
      if (meaning.kind === 'unknown' && !stream.discovers) {
        if (layer !== own) note(reached, path, meaning, stream)
        else {
          const hint = nearOrAll(meaning.field, Object.keys(stream.fields), 'fields')
          complainOfKey(judged, path, `stream ${shown(name)} has no field ${shown(meaning.field)}`, hint)
        }
        continue
      }
      note(reached, path, meaning, stream)
      kept.set(rule, { path, meaning, action })
    }
  }
  for (const { path, meaning, action } of kept.values()) {
    const problem = problemOf(name, stream, meaning, action)
    if (problem) complainOfKey(judged, path, ...problem)
  }
  return kept.size === 0 ? {} : { columns: Object.fromEntries([...kept].map(([rule, { action }]) => [rule, action])) }
}

/** A name may hold dots itself, as the vendor's may: the longest declared field that it begins with is meant. */
function meaningOf(rule: string, { fields }: VendorStream): Meaning {
  if (Object.hasOwn(fields, rule)) return { kind: 'field', field: rule }
  const steps = rule.split('.')
  for (let taken = steps.length - 1; taken > 0; taken--) {
    const field = steps.slice(0, taken).join('.')
    if (Object.hasOwn(fields, field)) return { kind: 'inside', field }
  }
  return { kind: 'unknown', field: steps[0]! }
}

function problemOf(name: string, stream: VendorStream, { kind, field }: Meaning, action: ColumnAction): [string, string] | undefined {
  const of = `${shown(field)} of stream ${shown(name)}`
  if (stream.ordering.includes(field))
    return [`${of} tells which version of a row is the newest: it must stay as it is`, 'take the rule out']
  if (stream.key.includes(field) && action !== 'hash')
    return [`${of} tells its rows apart: ${action === 'drop' ? 'without it' : 'masked,'} they would become one`, 'it can be hashed']
  if (kind === 'inside' && stream.fields[field] !== 'json')
    return [`${of} is no object: nothing lies inside it`, `name ${shown(field)} itself`]
  return undefined
}

function note(reached: Reached, path: Path, { kind }: Meaning, { discovers }: VendorStream): void {
  const key = path.join('\0')
  const known = reached.get(key) ?? { path, found: false, maybe: false }
  reached.set(key, { path, found: known.found || kind !== 'unknown', maybe: known.maybe || discovers })
}

/** Rules that reach no declared field: an error, unless the vendor may have it, which only it can tell. Gives the notes. */
export function checkReached(judged: Judged, reached: Reached): string[] {
  return [...reached.values()].flatMap(({ path, found, maybe }) => {
    const rule = path.at(-1)!
    if (found) return []
    if (!maybe) {
      complainOfKey(
        judged,
        path,
        `no stream that this reaches has a field ${shown(rule)}`,
        '`weir discover CONNECTION --stream NAME` lists fields',
      )
      return []
    }
    const { file, line, column } = keySpot(judged.tree, path)
    return [
      `${file}:${line}:${column}: whether there is a field ${shown(rule)} only the vendor knows: \`weir discover CONNECTION --stream NAME\` lists fields.`,
    ]
  })
}
