/** Forms of identifiers that more than one vendor wants. What is a vendor's alone stands with that vendor. */
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js'
import type { Normalizer } from '../core/audience.js'

const shape = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/

/** Trimmed, lower case, one `@`, a domain with a dot. Dots and plus signs stay: most vendors keep them. */
export const email: Normalizer = (value) => {
  const text = value.trim().toLowerCase()
  if (text === '') return { refused: 'the address is empty' }
  return shape.test(text) ? { text } : { refused: 'this is no e-mail address' }
}

const dotless = ['gmail.com', 'googlemail.com']

/** The same, and what Google's mail ignores is taken out: dots of the local part, and what follows a plus sign. */
export const foldedEmail: Normalizer = (value, around) => {
  const plain = email(value, around)
  if ('refused' in plain) return plain
  const [local = '', domain = ''] = plain.text.split('@')
  if (!dotless.includes(domain)) return plain
  const folded = local.replace(/\+.*$/, '').replaceAll('.', '')
  return folded === '' ? { refused: 'nothing of the address is left' } : { text: `${folded}@${domain}` }
}

/** E.164 with its plus sign. Without a country in the number or around it nobody knows whose number it is. */
export const phone: Normalizer = (value, { country }) => {
  const text = value.trim().replace(/^00(?=[1-9])/, '+')
  if (!/\d/.test(text)) return { refused: 'the phone number has no digit' }
  const known = country !== undefined && isSupportedCountry(country) ? country : undefined
  const parsed = parsePhoneNumberFromString(text, known === undefined ? {} : { defaultCountry: known })
  if (parsed?.isPossible()) return { text: parsed.number }
  if (text.startsWith('+')) return { refused: 'this is no phone number of its country' }
  return {
    refused: known === undefined ? 'the phone number has no country: set identity.default_country' : `this is no phone number of ${known}`,
  }
}

/** E.164 without its plus sign. */
export const phoneDigits: Normalizer = (value, around) => {
  const full = phone(value, around)
  return 'refused' in full ? full : { text: full.text.slice(1) }
}

/** ISO 3166 alpha-2, upper case. */
export const country: Normalizer = (value) => {
  const text = value.trim().toUpperCase()
  return /^[A-Z]{2}$/.test(text) ? { text } : { refused: 'a country is two letters, such as DE' }
}

/** As it is, without space around it. */
export const plain: Normalizer = (value) => {
  const text = value.trim()
  return text === '' ? { refused: 'it is empty' } : { text }
}

/** Trimmed and lower case. */
export const lower: Normalizer = (value, around) => {
  const trimmed = plain(value, around)
  return 'refused' in trimmed ? trimmed : { text: trimmed.text.toLowerCase() }
}
