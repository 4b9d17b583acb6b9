/** The state of a sync as a file: what `weir state export` writes and `weir state import` reads. No record and no secret is in it. */
import * as z from 'zod'
import type { Slice } from '../core/types.js'
import type { CheckpointRow, Position, StreamState, Watermark } from '../warehouse/driver.js'
import type { KnownStreams } from './judge.js'

const format = 'weir-state'
const version = 1

const shown = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
/** What was expected and what was found; the place is said by the path. */
const expected = (what: string) => ({
  error: (issue: { code?: string; input?: unknown; keys?: string[] }) => {
    if (issue.code === 'unrecognized_keys') return `unknown ${issue.keys!.length > 1 ? 'keys' : 'key'} ${issue.keys!.map(shown).join(', ')}`
    return issue.input === undefined ? 'is missing' : `expected ${what}, found ${shown(issue.input)}`
  },
})

const text = z.string(expected('text')).min(1, expected('text'))
const instant = z.iso
  .datetime({ offset: true, ...expected('an instant such as 2026-06-01T00:00:00Z') })
  .transform((written) => new Date(written).toISOString())
const position = z.strictObject(
  { resume: z.record(z.string(), z.unknown(), expected('an object')).optional(), reached: text.optional() },
  expected('an object with "resume", "reached" or both'),
)
const slice = z.strictObject(
  {
    pass: text,
    from: instant.optional(),
    to: instant.optional(),
    parent: text.optional(),
    state: z.enum(['open', 'finished', 'dead_letter', 'refused'], expected('"open", "finished", "dead_letter" or "refused"')),
    position: position.optional(),
  },
  expected('a slice'),
)
const stream = z.strictObject(
  {
    watermarks: z.record(z.string(), instant, expected('an object of passes and instants')),
    parents: z
      .record(
        z.string(),
        z.record(z.string(), instant, expected('an object of parents and instants')),
        expected('an object of passes and parents'),
      )
      .optional(),
    slices: z.array(slice, expected('a list of slices')),
  },
  expected('an object with "watermarks" and "slices"'),
)
const schema = z.strictObject(
  {
    format: z.literal(format),
    version: z.literal(version, expected(String(version))),
    project: text,
    sync: text,
    exportedAt: instant,
    streams: z.record(z.string(), stream, expected('an object of streams')),
  },
  expected('an object'),
)

export type StateDocument = z.infer<typeof schema>

export interface Found {
  watermarks: readonly (Watermark & { stream: string })[]
  checkpoints: readonly Pick<CheckpointRow, 'stream' | 'bounds' | 'state' | 'position'>[]
}

/** The part of it that the sync still reads, which is what an import takes; and what is not of it, as `stream` or `stream, pass name`. */
export function stillRead({ watermarks, checkpoints }: Found, known: KnownStreams): { found: Found; left: string[] } {
  const notRead = (stream: string, pass: string) =>
    !known.has(stream) ? stream : known.get(stream)!.passes.has(pass) ? undefined : `${stream}, pass ${pass}`
  const found = {
    watermarks: watermarks.filter(({ stream, pass }) => notRead(stream, pass) === undefined),
    checkpoints: checkpoints.filter(({ stream, bounds }) => notRead(stream, bounds.pass) === undefined),
  }
  const places = [...watermarks, ...checkpoints.map(({ stream, bounds }) => ({ stream, pass: bounds.pass }))]
  const left = places.map(({ stream, pass }) => notRead(stream, pass)).filter((place) => place !== undefined)
  return { found, left: [...new Set(left)].sort() }
}

/** What is known of a sync now, as a document. */
export function documentOf({ watermarks, checkpoints }: Found, of: { project: string; sync: string; now: Date }): StateDocument {
  const names = [...new Set([...watermarks, ...checkpoints].map((one) => one.stream))].sort()
  const streams = names.map((name) => [
    name,
    {
      ...marksOf(watermarks.filter((one) => one.stream === name)),
      slices: checkpoints
        .filter((one) => one.stream === name)
        // Two others stand in its place.
        .flatMap(({ state, ...one }) => (state === 'halved' ? [] : [{ state, ...one }]))
        .map(({ bounds, state, position }) => ({ ...bounds, state, ...(position ? { position } : {}) })),
    },
  ])
  return { format, version, project: of.project, sync: of.sync, exportedAt: of.now.toISOString(), streams: Object.fromEntries(streams) }
}

/** Watermarks of passes, and beside them those of parents, where there are any. */
function marksOf(marks: readonly Watermark[]): Pick<StateDocument['streams'][string], 'watermarks' | 'parents'> {
  const watermarks: Record<string, string> = {}
  const parents: Record<string, Record<string, string>> = {}
  for (const { pass, parent, watermark } of marks) {
    if (parent === undefined) watermarks[pass] = watermark
    else parents[pass] = { ...parents[pass], [parent]: watermark }
  }
  return { watermarks, ...(Object.keys(parents).length === 0 ? {} : { parents }) }
}

/** The document in a file's text, or what is wrong with it: each problem with its place. */
export function readDocument(content: string): { document: StateDocument } | { problems: string[] } {
  let found: unknown
  try {
    found = JSON.parse(content)
  } catch {
    return { problems: [content.trim() === '' ? 'the file is empty' : 'the file is not JSON'] }
  }
  const head = (typeof found === 'object' && found !== null ? found : {}) as Record<string, unknown>
  if (head.format !== format)
    return { problems: ['the file is not a state: "format" must be "weir-state", as weir state export writes it'] }
  if (typeof head.version === 'number' && head.version > version)
    return { problems: [`the file has version ${head.version} of the format, this Weir reads version ${version}: upgrade Weir`] }
  const parsed = schema.safeParse(found)
  if (parsed.success) return { document: parsed.data }
  return { problems: parsed.error.issues.map(({ path, message }) => [pathText(path), message].filter(Boolean).join(': ')) }
}

const pathText = (path: readonly PropertyKey[]) =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}${text && '.'}${String(part)}`), '')

/** The streams of a document in the warehouse's terms; all of them, or the one that is named. */
export function statesOf({ streams }: StateDocument, only?: string): StreamState[] {
  return Object.entries(streams)
    .filter(([name]) => only === undefined || name === only)
    .map(([name, { watermarks, parents = {}, slices }]) => ({
      stream: name,
      watermarks: [
        ...Object.entries(watermarks).map(([pass, watermark]) => ({ pass, watermark })),
        ...Object.entries(parents).flatMap(([pass, marks]) =>
          Object.entries(marks).map(([parent, watermark]) => ({ pass, parent, watermark })),
        ),
      ],
      slices: slices.map(({ state, position, ...bounds }) => ({
        slice: defined<Slice>(bounds),
        state,
        position: position ? defined<Position>(position) : null,
      })),
    }))
}

/** Leaves out keys without a value: zod's optional keys may hold undefined, ours may not. */
const defined = <T extends object>(of: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as T
