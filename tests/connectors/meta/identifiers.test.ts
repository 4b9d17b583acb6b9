import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { identifiers } from '../../../connectors/meta/identifiers.js'
import type { IdentifierKind } from '../../../src/core/audience.js'
import { writeIdentifiers } from '../../../src/identity/write.js'

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')
const written = (kind: keyof typeof identifiers, value: string, country?: string) => {
  const normal = identifiers[kind].normalize(value, { country })
  return 'text' in normal ? normal.text : undefined
}

describe('people, as Meta wants them', () => {
  it.each<[Partial<Record<IdentifierKind, string>>, Partial<Record<IdentifierKind, string>>]>([
    [{ email: ' Mary@Example.com ' }, { email: 'f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79' }],
    [{ phone: '+1 (555) 987-6543' }, { phone: '1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e' }],
    [{ phone: '001 555 987 6543' }, { phone: '1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e' }],
    [{ country: 'US' }, { country: '79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621' }],
  ])('%o has the hash that Meta’s pages give', (given, hashes) => {
    expect(writeIdentifiers({ identifiers, needs: Object.keys(given).map((kind) => [kind as IdentifierKind]) }, given, {})).toEqual({
      identifiers: hashes,
    })
  })

  it.each<[keyof typeof identifiers, string, string | undefined, string | undefined]>([
    ['email', 'An.A+shop@Gmail.com', undefined, 'an.a+shop@gmail.com'],
    ['email', 'ana@example.com.', undefined, 'ana@example.com'],
    ['phone', '+0000', undefined, undefined],
    ['phone', '030 1234567', 'DE', '49301234567'],
    ['first_name', ' Valéry ', undefined, 'valéry'],
    ['first_name', 'Vale\u0301ry', undefined, 'valéry'],
    ['first_name', '정', undefined, '정'],
    ['last_name', "O'Neil-Jr.", undefined, 'oneiljr'],
    ['last_name', '...', undefined, undefined],
    ['city', 'St. Louis 2', undefined, 'stlouis'],
    ['region', 'CA', 'US', 'ca'],
    ['region', 'California', 'US', undefined],
    ['region', 'Nordrhein-Westfalen', 'DE', 'nordrheinwestfalen'],
    ['postal_code', '94103-1234', 'US', '94103'],
    ['postal_code', '9410', 'US', undefined],
    ['postal_code', 'M1 1AE', 'GB', 'm11'],
    ['postal_code', 'SW1A 1AA', 'GB', 'sw1a1'],
    ['postal_code', '1012 AB', 'NL', '1012ab'],
    ['mobile_id', 'AB1234CD-E123-12FG-J123-000000000000', undefined, 'ab1234cd-e123-12fg-j123-000000000000'],
    ['external_id', ' User-1 ', undefined, 'User-1'],
  ])('%s %j (%s) is written %j', (kind, value, country, text) => {
    expect(written(kind, value, country)).toBe(text)
  })

  it('only ids leave in clear', () => {
    const given = {
      email: 'ana@example.test',
      phone: '+4930123456',
      first_name: 'Ana',
      last_name: 'Berg',
      city: 'Berlin',
      region: 'Berlin',
      postal_code: '10115',
      country: 'DE',
      external_id: 'u1',
      mobile_id: 'AB-1',
    }
    const answer = writeIdentifiers({ identifiers, needs: [['email']] }, given, {})
    expect(answer).toMatchObject({ identifiers: { email: sha256('ana@example.test'), external_id: 'u1', mobile_id: 'ab-1' } })
    const { external_id: _own, mobile_id: _device, ...rest } = (answer as { identifiers: Record<string, string> }).identifiers
    expect(Object.keys(rest)).toHaveLength(8)
    for (const value of Object.values(rest)) expect(value).toMatch(/^[0-9a-f]{64}$/)
  })

  it('a hash is never hashed again', () => {
    const needs = [['email']] as const
    const hash = sha256('ana@example.test')
    expect(writeIdentifiers({ identifiers, needs }, { email: hash }, {})).toMatchObject({ excluded: 'already_hashed' })
    expect(writeIdentifiers({ identifiers, needs }, { email: hash.toUpperCase() }, { hashed: ['email'] })).toEqual({
      identifiers: { email: hash },
    })
  })
})
