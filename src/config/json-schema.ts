/** The JSON Schema of a project file for editors, and its keys for the reference page: both from the types that validate. */
import { z } from 'zod'
import { budget, connection, project, stream, sync } from './schema.js'
import { metaOf } from './secrets.js'
import type { Vendors } from './vendors.js'

/** A whole file, with the vendors' keys and streams' settings in their places. */
function whole(vendors: Vendors): z.ZodType {
  const types = Object.entries(vendors).map(([type, { settings, title, apiVersions }]) =>
    z
      .strictObject({
        ...connection.shape,
        ...settings.shape,
        type: z.literal(type).describe(connection.shape.type.description ?? ''),
        ...(apiVersions
          ? {
              api_version: z
                .enum([...apiVersions])
                .optional()
                .describe(connection.shape.api_version.description ?? ''),
            }
          : {}),
      })
      .describe(title),
  )
  const connections = z.record(z.string(), types.length > 1 ? z.union(types) : (types[0] ?? z.unknown()))
  const syncs = z.record(z.string(), z.strictObject({ ...sync.shape, streams: z.record(z.string(), stream.nullable()).optional() }))
  const file = z.strictObject({ ...project.shape, connections: connections.optional(), syncs: syncs.optional() })
  const described = (key: 'connections' | 'syncs', type: z.ZodType): z.ZodType => type.describe(project.shape[key].description ?? '')
  return z.strictObject({
    ...file.shape,
    version: project.shape.version.optional(),
    connections: described('connections', connections).optional(),
    syncs: described('syncs', syncs).optional(),
  })
}

/** For `weir schema` and the `# yaml-language-server:` line. Any value may also be a reference. */
export function jsonSchema(vendors: Vendors): Record<string, unknown> {
  const schema = z.toJSONSchema(whole(vendors), {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: node }) => {
      const { type, enum: values, const: only } = node
      // kept for the reference page; not words of JSON Schema
      delete node.kind
      delete node.secret
      const isText = type === 'string' && values === undefined && node.pattern === undefined && only === undefined
      if (isText || type === 'object' || type === 'array' || only !== undefined || type === undefined) return
      const { description, ...rest } = node
      for (const key of Object.keys(node)) delete node[key]
      Object.assign(node, { ...(description === undefined ? {} : { description }), anyOf: [rest, { type: 'string', pattern: '\\$\\{' }] })
    },
  })
  return { ...schema, title: 'Weir project' }
}

/** One key of a project file. */
export interface KeyReference {
  /** `syncs.<name>.every` */
  key: string
  kind: string
  required: boolean
  secret: boolean
  description: string
}

const unions: Readonly<Record<string, z.ZodObject>> = { 'connections.<name>.budget': budget as z.ZodObject }

/** Every key, in the order of the file, for docs/reference/config.md; the vendors' own under `connections.<name> (type)`. */
export function keyReference(vendors: Vendors): KeyReference[] {
  const rows: KeyReference[] = []
  const nested: Readonly<Record<string, z.ZodObject>> = {
    connections: connection as z.ZodObject,
    syncs: sync as z.ZodObject,
    streams: stream as z.ZodObject,
  }
  const list = (type: z.ZodObject, prefix: string): void => {
    for (const [key, value] of Object.entries(type.shape) as [string, z.ZodType][]) {
      const at = prefix === '' ? key : `${prefix}.${key}`
      const meta = metaOf(value)
      const inner = unwrapped(value)
      const below = nested[key] ?? unions[at] ?? (inner instanceof z.ZodObject ? inner : undefined)
      rows.push({
        key: at,
        kind: kindOf(value, meta),
        required: !value.safeParse(undefined).success,
        secret: meta.secret === true,
        description: String(meta.description ?? ''),
      })
      if (below) list(below, nested[key] ? `${at}.<name>` : at)
      if (key !== 'connections') continue
      for (const [vendor, { settings }] of Object.entries(vendors)) list(settings, `${at}.<name> (${vendor})`)
    }
  }
  list(project as z.ZodObject, '')
  return rows
}

function unwrapped(type: z.ZodType): z.ZodType {
  const inner = (type as { def?: { innerType?: z.ZodType } }).def?.innerType
  return inner ? unwrapped(inner) : type
}

function kindOf(type: z.ZodType, meta: Record<string, unknown>): string {
  if (typeof meta.kind === 'string') return meta.kind
  const inner = unwrapped(type)
  if (inner instanceof z.ZodLiteral) return [...inner.values].map(String).join(' or ')
  if (inner instanceof z.ZodEnum) return inner.options.map(String).join(' or ')
  if (inner instanceof z.ZodUnion) return [...new Set((inner.options as z.ZodType[]).map((one) => kindOf(one, metaOf(one))))].join(' or ')
  const kinds: Record<string, string> = {
    string: 'text',
    object: 'map',
    record: 'map by name',
    array: 'list',
    number: 'number',
    boolean: 'true or false',
  }
  return kinds[inner.def.type] ?? inner.def.type
}
