import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { IdentifierKind } from '../../../src/core/audience.js'
import { country, email, foldedEmail, lower, phone, phoneDigits, plain } from '../../../src/identity/normalize.js'
import { writeIdentifiers } from '../../../src/identity/write.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const around = {}

describe('normal forms', () => {
  test.each([
    [' Ana@Example.TEST ', 'ana@example.test'],
    ['user.name+NYC@Example.com', 'user.name+nyc@example.com'],
  ])('an address is trimmed and lower case: %j', (given, text) => {
    expect(email(given, around)).toEqual({ text })
  })

  test.each(['', 'ana', 'ana@', '@example.test', 'ana@example', 'a na@example.test', 'a@b@example.test', 'ana@example.test.'])(
    'what is no address is refused: %j',
    (given) => {
      expect(email(given, around)).toHaveProperty('refused')
    },
  )

  // Vectors of Google's own documents for the Data Manager API, read 2026-11-23.
  test.each([
    ['Cloudy.SanFrancisco+x@gmail.com', 'cloudysanfrancisco@gmail.com'],
    ['a.b@googlemail.com', 'ab@googlemail.com'],
    ['user.name+NYC@Example.com', 'user.name+nyc@example.com'],
  ])('Google folds the addresses of its own mail alone: %j', (given, text) => {
    expect(foldedEmail(given, around)).toEqual({ text })
  })

  test.each([
    ['(800) 555-0100', 'US', '+18005550100'],
    ['+49 170 1234567', undefined, '+491701234567'],
    ['0049 170 1234567', undefined, '+491701234567'],
    ['0170 1234567', 'DE', '+491701234567'],
    ['+44 (0)20 7946 0958', 'US', '+442079460958'],
  ])('a phone number is E.164: %j in %s', (given, where, text) => {
    expect(phone(given, { country: where })).toEqual({ text })
    expect(phoneDigits(given, { country: where })).toEqual({ text: text.slice(1) })
  })

  test.each([
    ['0170 1234567', undefined, /no country/],
    ['12', 'DE', /no phone number of DE/],
    ['+49', undefined, /no phone number/],
    ['call me', 'DE', /no digit/],
  ])('what is no number, or nobody knows whose, is refused: %j in %s', (given, where, words) => {
    expect(phone(given, { country: where })).toEqual({ refused: expect.stringMatching(words) })
  })

  test('countries are two letters; names are lower case', () => {
    expect(country(' de ', around)).toEqual({ text: 'DE' })
    expect(country('Germany', around)).toHaveProperty('refused')
    expect(lower(' Valéry ', around)).toEqual({ text: 'valéry' })
    expect(plain(' 94045 ', around)).toEqual({ text: '94045' })
  })
})

describe('identifiers for a destination', () => {
  const destination = {
    identifiers: {
      email: { normalize: email, hash: true },
      phone: { normalize: phoneDigits, hash: true },
      postal_code: { normalize: plain, hash: false },
    },
    needs: [['email'], ['phone']] as IdentifierKind[][],
  }
  const write = (given: Partial<Record<IdentifierKind, string>>, rest = {}) => writeIdentifiers(destination, given, rest)

  test('are hashed where it wants hashes, and only there', () => {
    // Check value of Meta's documents: sha256("mary@example.com").
    expect(write({ email: 'Mary@Example.com', postal_code: '94045', city: 'Berlin' })).toEqual({
      identifiers: { email: 'f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79', postal_code: '94045' },
    })
    expect(write({ phone: '+1 (555) 987-6543' })).toEqual({
      identifiers: { phone: '1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e' },
    })
  })

  test('one that cannot be normalized is left out while another is enough', () => {
    expect(write({ email: 'ana@example.test', phone: 'none' })).toEqual({ identifiers: { email: sha256('ana@example.test') } })
  })

  test('without any of the sets that are needed nobody is sent; the words say what was wrong and never the value', () => {
    const written = write({ email: 'ana(at)example.test', phone: '0170 1234567' })
    expect(written).toEqual({
      excluded: 'no_identifier',
      why: 'It needs email, or phone; email: this is no e-mail address; phone: the phone number has no country: set identity.default_country.',
    })
    expect(write({})).toMatchObject({ excluded: 'no_identifier' })
  })

  test.each([sha256('mary@example.com'), createHash('md5').update('mary@example.com').digest('hex'), sha256('x').toUpperCase()])(
    'a hash in place of an address is never hashed again: %s',
    (hash) => {
      expect(write({ email: hash })).toMatchObject({ excluded: 'already_hashed' })
    },
  )

  test('a column that is said to be hashed passes as it is, in lower case; what is no hash in it is refused', () => {
    const hash = sha256('mary@example.com')
    expect(write({ email: hash.toUpperCase() }, { hashed: ['email'] })).toEqual({ identifiers: { email: hash } })
    expect(write({ email: 'mary@example.com' }, { hashed: ['email'] })).toMatchObject({ excluded: 'no_identifier' })
  })

  test('a hash is refused where the destination wants the plain value', () => {
    const open = { ...destination, identifiers: { email: { normalize: email, hash: false } } }
    expect(writeIdentifiers(open, { email: sha256('a@b.test') }, { hashed: ['email'] })).toMatchObject({ excluded: 'already_hashed' })
  })

  test('numbers are read in the person’s own country, else in the default one', () => {
    const plainNumbers = { ...destination, identifiers: { phone: { normalize: phone, hash: false } } }
    expect(writeIdentifiers(plainNumbers, { phone: '0170 1234567', country: 'de' }, { country: 'US' })).toEqual({
      identifiers: { phone: '+491701234567' },
    })
  })
})
