/** Secrets: references in files and definitions, values only at use, and the list of what must never be printed. */
import type * as z from 'zod'
import { Failure } from '../core/failure.js'
import { lookIn, partsOf, resolveText, type Sources } from './references.js'

/** Keys of a vendor's settings that hold secrets: those marked `.meta({ secret: true })`. */
export const secretKeys = (settings: z.ZodObject): string[] =>
  Object.entries(settings.shape).flatMap(([key, type]) => (metaOf(type as z.ZodType).secret === true ? [key] : []))

/** A type's own marks, also when they stand under `.optional()` and the like. */
export function metaOf(type: z.ZodType): Record<string, unknown> {
  const inner = (type as { def?: { innerType?: z.ZodType } }).def?.innerType
  return { ...(inner ? metaOf(inner) : {}), ...type.meta() }
}

/** Is the whole text one reference without a default? What a secret's place may hold. */
export function isSecretReference(text: string): boolean {
  const parts = partsOf(text)
  if (!Array.isArray(parts) || parts.length !== 1) return false
  const [part] = parts
  return typeof part === 'object' && !('fallback' in part)
}

/**
 * A connection's settings with every reference replaced, read anew from environment, `.env` and files: for the worker, at use.
 * Throws `config` naming each variable that is missing.
 */
export function resolveSettings(settings: Readonly<Record<string, unknown>>, sources: Sources): Record<string, unknown> {
  const look = lookIn(sources)
  const problems: string[] = []
  const replaced = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') {
      const resolved = resolveText(value, look)
      if ('value' in resolved) return resolved.value
      problems.push(...resolved.problems.map(({ problem }) => `${path}: ${problem}`))
      return undefined
    }
    if (Array.isArray(value)) return value.map((item, index) => replaced(item, `${path}.${index}`))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, path === '' ? key : `${path}.${key}`)]))
  }
  const result = replaced(settings, '') as Record<string, unknown>
  if (problems.length > 0) {
    throw new Failure('config', `Settings cannot be resolved here: ${problems.join('; ')}. Give them to the process that runs the worker.`)
  }
  return result
}

/**
 * What must not be printed: the value of every reference in `settings`, and the literals under `keys` (loopback only).
 * References that cannot be resolved are left out.
 */
export function secretValues(settings: Readonly<Record<string, unknown>>, sources: Sources, keys: readonly string[] = []): string[] {
  const look = lookIn(sources)
  const values = new Set<string>()
  const gather = (value: unknown, marked: boolean): void => {
    if (typeof value === 'string') {
      const parts = partsOf(value)
      for (const part of Array.isArray(parts) ? parts : []) {
        const found = typeof part === 'string' ? { value: marked ? part : '' } : look(part)
        if ('value' in found && found.value !== '') values.add(found.value)
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) gather(item, marked || keys.includes(key))
    }
  }
  gather(settings, false)
  return [...values]
}

/** Secrets in a database's address: its password, as it stands there and decoded. */
export function urlSecrets(address: string): string[] {
  if (!URL.canParse(address)) return []
  const { password, searchParams } = new URL(address)
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text)
    } catch {
      return text
    }
  }
  return [...new Set([password, decoded(password), searchParams.get('password') ?? ''])].filter((text) => text !== '')
}
