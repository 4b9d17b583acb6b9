import { createHash } from 'node:crypto'
import type { Mark } from './marks.js'
import { email, foldedEmail, phone } from './normalize.js'

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')

/**
 * Keyed hashes by which a person is found again, whatever form the address or number had: of each form, and of none where it is no address or
 * number. Made over SHA-256, so that those of values that stand hashed in a model are the same.
 */
export function personMarks(
  mark: Mark,
  kind: 'email' | 'phone',
  given: string,
  { country, isHashed = false }: { country?: string | undefined; isHashed?: boolean } = {},
): string[] {
  const hashes = isHashed ? [given.trim().toLowerCase()] : formsOf(kind, given, country).map(sha256)
  return [...new Set(hashes)].map((hash) => mark(`person:${kind}:${hash}`))
}

/** As mail providers and vendors write it; the most general form first. */
export function formsOf(kind: 'email' | 'phone', given: string, country: string | undefined): string[] {
  const forms = kind === 'email' ? [foldedEmail, email] : [phone]
  const texts = forms.flatMap((form) => {
    const written = form(given, { country })
    return 'text' in written ? [written.text] : []
  })
  return kind === 'email' ? texts : texts.flatMap((text) => [text, text.slice(1)])
}
