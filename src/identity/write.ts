import { createHash } from 'node:crypto'
import type { Destination, IdentifierKind } from '../core/audience.js'

export type Written =
  | { identifiers: Partial<Record<IdentifierKind, string>> }
  /** `already_hashed`: a hash stands where the plain value is wanted; hashed again it would match nobody, ever. */
  | { excluded: 'no_identifier' | 'already_hashed'; why: string }

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')
const hashShape = /^[0-9a-f]{64}$/i
/** MD5 and SHA-1 too: no address or number looks like this. */
const anyHash = /^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/i
/** Kinds that no hash can be mistaken for. */
const telling: ReadonlySet<IdentifierKind> = new Set(['email', 'phone', 'first_name', 'last_name'])

/** The person's own where it is one, else that of the audience. */
export const countryOf = (own: string | undefined, around: string | undefined): string | undefined =>
  own !== undefined && /^[a-z]{2}$/i.test(own.trim()) ? own.trim().toUpperCase() : around

/**
 * Identifiers of one person as one destination wants them: normalized, and hashed where it wants hashes. What is missing or cannot be
 * normalized is left out; whoever has none of the sets that the destination needs is excluded.
 * @param given by kind, as the model has them; empty texts are missing
 * @param hashed kinds whose values are SHA-256 in hex already
 */
export function writeIdentifiers(
  { identifiers: rules, needs }: Pick<Destination, 'identifiers' | 'needs'>,
  given: Partial<Record<IdentifierKind, string>>,
  { country, hashed = [] }: { country?: string | undefined; hashed?: readonly IdentifierKind[] },
): Written {
  const identifiers: Partial<Record<IdentifierKind, string>> = {}
  const problems: { kind: IdentifierKind; why: string; isHash: boolean }[] = []
  const own = countryOf(given.country, country)
  for (const [name, value] of Object.entries({ ...(country === undefined ? {} : { country }), ...given })) {
    const kind = name as IdentifierKind
    const rule = rules[kind]
    if (!rule || value === undefined || value.trim() === '') continue
    const text = value.trim()
    if (hashed.includes(kind)) {
      if (!rule.hash) problems.push({ kind, why: 'the destination wants it in clear, and it is hashed', isHash: true })
      else if (!hashShape.test(text)) problems.push({ kind, why: 'it is said to be hashed, and is no SHA-256 in hex', isHash: false })
      else identifiers[kind] = text.toLowerCase()
      continue
    }
    if (telling.has(kind) && anyHash.test(text)) {
      problems.push({ kind, why: 'it is hashed already: name it in identity.hashed, or give the plain value', isHash: true })
      continue
    }
    const normal = rule.normalize(text, { country: own })
    if ('refused' in normal) problems.push({ kind, why: normal.refused, isHash: false })
    else identifiers[kind] = rule.hash ? sha256(normal.text) : normal.text
  }
  if (needs.some((set) => set.every((kind) => identifiers[kind] !== undefined))) return { identifiers }
  const wanted = needs.map((set) => set.join(' + ')).join(', or ')
  const said = problems.map(({ kind, why }) => `${kind}: ${why}`).join('; ')
  return {
    excluded: problems.some(({ isHash }) => isHash) ? 'already_hashed' : 'no_identifier',
    why: `It needs ${wanted}${said === '' ? ', and has none.' : `; ${said}.`}`,
  }
}
