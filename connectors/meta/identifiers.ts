/**
 * How Meta wants people written, before SHA-256: https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences, read
 * 2026-11-23. Wrong forms are invisible there: a plausible hash matches nobody, and no answer says so.
 */
import type { Destination, IdentifierKind, Normalizer } from '../../src/core/audience.js'
import { email, lower, phoneDigits, plain, country as upperCountry } from '../../src/identity/normalize.js'

/** Dots and plus signs stay, unlike at Google; dots at the end go. */
export const address: Normalizer = (value, around) => email(value.trim().replace(/\.+$/, ''), around)

const without =
  (pattern: RegExp): Normalizer =>
  (value) => {
    // One form of letters with marks: two spellings of é would be two hashes.
    const text = value.normalize('NFC').toLowerCase().replace(pattern, '').trim()
    return text === '' ? { refused: 'nothing of it is left' } : { text }
  }

/** Lower case without punctuation; letters of any script stay (Valéry → valéry). */
export const name = without(/\p{P}/gu)
export const city = without(/[\p{P}\p{Nd}\s]/gu)
const anyRegion = without(/[\p{P}\s]/gu)

/** In the United States two letters. */
export const region: Normalizer = (value, around) => {
  const written = anyRegion(value, around)
  if (around.country !== 'US' || 'refused' in written || /^[a-z]{2}$/.test(written.text)) return written
  return { refused: 'a state of the United States is two letters, such as CA' }
}

const british = /^([a-z]{1,2}\d[a-z\d]?\d)[a-z]{2}$/

/** The first five digits in the United States; area, district and sector in the United Kingdom. */
export const postalCode: Normalizer = (value, around) => {
  const written = without(/[\s\p{Pd}]/gu)(value, around)
  if ('refused' in written) return written
  if (around.country === 'GB') return { text: british.exec(written.text)?.[1] ?? written.text }
  if (around.country !== 'US') return written
  return /^\d{5}/.test(written.text) ? { text: written.text.slice(0, 5) } : { refused: 'a ZIP code begins with five digits' }
}

export const country: Normalizer = (value, around) => {
  const written = upperCountry(value, around)
  return 'refused' in written ? written : { text: written.text.toLowerCase() }
}

/** Ids of devices and of your own go in clear, the only ones. They stay in the ledger: whom they matched they alone take back. */
export const identifiers = {
  email: { normalize: address, hash: true },
  phone: { normalize: phoneDigits, hash: true },
  first_name: { normalize: name, hash: true },
  last_name: { normalize: name, hash: true },
  city: { normalize: city, hash: true },
  region: { normalize: region, hash: true },
  postal_code: { normalize: postalCode, hash: true },
  country: { normalize: country, hash: true },
  external_id: { normalize: plain, hash: false, isKept: true },
  mobile_id: { normalize: lower, hash: false, isKept: true },
} satisfies Destination['identifiers']

/** Meta's keys, in the order of the columns that are sent. */
export const columns: readonly (readonly [kind: IdentifierKind, key: string])[] = [
  ['external_id', 'EXTERN_ID'],
  ['email', 'EMAIL'],
  ['phone', 'PHONE'],
  ['mobile_id', 'MADID'],
  ['first_name', 'FN'],
  ['last_name', 'LN'],
  ['city', 'CT'],
  ['region', 'ST'],
  ['postal_code', 'ZIP'],
  ['country', 'COUNTRY'],
]
