/** A stream that the user defines: the vendor's own keys of it, by the vendor's own types. */
import { asFailure } from '../core/failure.js'
import { nearOrAll, shown } from './errors.js'
import { complain, complainOfKey, type Judged, parseAt } from './issues.js'
import { nameProblem } from './names.js'
import { stream as streamKeys } from './schema.js'
import { find, keysOf, type Path, plain, without } from './tree.js'
import type { Vendor, VendorStream } from './vendors.js'

export interface CustomStream {
  stream: VendorStream
  given: Record<string, unknown>
}

/** What stands at `path` under a name that the vendor does not know. Undefined when it is no stream, which is then reported. */
export function compileCustom(judged: Judged, path: Path, { title, streams, custom }: Vendor): CustomStream | undefined {
  const name = path.at(-1)!
  const node = find(judged.tree, path)
  const own = Object.keys(custom?.keys.shape ?? {})
  if (!custom || node?.kind !== 'map' || !keysOf(node).some((key) => own.includes(key))) {
    const known = nearOrAll(name, Object.keys(streams), 'streams')
    const hint = own.length === 0 ? known : `${known}; a stream of your own has ${own.map(shown).join(', ')}`
    complainOfKey(judged, path, `${title} has no stream ${shown(name)}`, hint)
    return undefined
  }
  const problem = nameProblem(name)
  if (problem !== undefined) complainOfKey(judged, path, problem)
  const common = keysOf(node).filter((key) => !own.includes(key) || key in streamKeys.shape)
  const given = parseAt(custom.keys, judged, path, { value: plain(without(node, common)) })
  if (!given || problem !== undefined) return undefined
  try {
    return { stream: custom.streamOf(name, given), given }
  } catch (error) {
    complain(judged, path, asFailure(error).message)
    return undefined
  }
}
