/** The JSON Schema of a project file for editors, from the very types that validate it. */
import * as z from 'zod'
import { check, tableCheck } from './quality.js'
import { connection, defaults, project, stream, sync } from './schema.js'
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
  const list = (of: z.ZodType, key: z.ZodType) => ({
    quality: z
      .array(of)
      .optional()
      .describe(key.description ?? ''),
  })
  const streams = z.record(
    z.string(),
    z.strictObject({ ...customKeys(vendors), ...stream.shape, ...list(check, stream.shape.quality) }).nullable(),
  )
  const forAll = list(tableCheck, sync.shape.quality)
  const syncs = z.record(z.string(), z.strictObject({ ...sync.shape, ...forAll, streams: streams.optional() }))
  const file = z.strictObject({
    ...project.shape,
    defaults: z
      .strictObject({ ...defaults.shape, ...forAll })
      .optional()
      .describe(project.shape.defaults.description ?? ''),
    connections: connections.optional(),
    syncs: syncs.optional(),
  })
  const described = (key: 'connections' | 'syncs', type: z.ZodType): z.ZodType => type.describe(project.shape[key].description ?? '')
  return z.strictObject({
    ...file.shape,
    version: project.shape.version.optional(),
    connections: described('connections', connections).optional(),
    syncs: described('syncs', syncs).optional(),
  })
}

/** Keys of streams that users define; those of one name in several vendors may hold what any of them takes. */
function customKeys(vendors: Vendors): Record<string, z.ZodType> {
  const found = new Map<string, z.ZodType[]>()
  for (const { custom } of Object.values(vendors))
    for (const [key, type] of Object.entries((custom?.keys.shape ?? {}) as Record<string, z.ZodType>))
      found.set(key, [...(found.get(key) ?? []), type])
  const merged = ([first, ...others]: z.ZodType[]): z.ZodType => (others.length === 0 ? first! : z.union([first!, ...others]))
  const one = (key: string, types: z.ZodType[]) =>
    merged(types)
      .optional()
      .describe(types[0]!.description ?? `Of a stream of your own: ${key}.`)
  return Object.fromEntries([...found].map(([key, types]) => [key, one(key, types)]))
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
