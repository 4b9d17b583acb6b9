import { createHash } from 'node:crypto'
import type { AudienceDefinition } from '../core/audience.js'
import { canonical } from '../core/canonical.js'
import type { Definition } from '../core/definition.js'

/** What a definition is stored under: equal definitions have equal hashes, whatever the order of their keys. */
export const definitionHash = (definition: Definition | AudienceDefinition): string => hashOf(definition)

/** The same of any JSON. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex')

/** Do both say the same, whatever the order of their keys? */
export const same = (a: unknown, b: unknown): boolean => hashOf([a]) === hashOf([b])
