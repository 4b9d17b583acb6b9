import { createHash } from 'node:crypto'
import type { AudienceDefinition } from '../core/audience.js'
import type { Definition } from '../core/definition.js'

/** What a definition is stored under: equal definitions have equal hashes, whatever the order of their keys. */
export const definitionHash = (definition: Definition | AudienceDefinition): string => hashOf(definition)

/** The same of any JSON. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex')

/** JSON with sorted keys and without what is undefined. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}
