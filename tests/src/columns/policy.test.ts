import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHasher } from '../../../src/columns/hash.js'
import { mask } from '../../../src/columns/mask.js'
import { compilePolicy } from '../../../src/columns/policy.js'
import type { ColumnActions } from '../../../src/core/definition.js'
import { ExactNumber } from '../../../src/core/types.js'
import { jsonText } from '../../../src/schema/json.js'

const key = 'a'.repeat(44)
const { hash, fingerprint } = createHasher(key)
const applied = (columns: ColumnActions, record: Record<string, unknown>) => compilePolicy(columns, { hash }).record(record)

describe('a hash', () => {
  it('is 64 hex digits, and the same for the same value whatever its type', () => {
    expect(hash('42')).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set([hash('42'), hash(42), hash(42n), hash(new ExactNumber('42'))]).size).toBe(1)
    expect(hash(true)).toBe(hash('true'))
    expect(hash('Jane')).not.toBe(hash('jane'))
  })

  it('takes an object by what it holds, not by the order of its keys', () => {
    expect(hash({ a: 1, b: [{ c: 'x', d: null }] })).toBe(hash({ b: [{ d: null, c: 'x' }], a: 1 }))
    expect(hash({ a: 1 })).not.toBe(hash({ a: '1' }))
    expect(hash([1, 2])).not.toBe(hash([2, 1]))
    expect(hash({ n: new ExactNumber('0.10000000000000000000001') })).not.toBe(hash({ n: 0.1 }))
  })

  it('leaves what is no value', () => {
    expect([hash(null), hash(''), hash(undefined)]).toEqual([null, '', undefined])
  })

  it('depends on the key, whose fingerprint says nothing of it', () => {
    const other = createHasher('b'.repeat(44))
    expect(other.hash('42')).not.toBe(hash('42'))
    expect(other.fingerprint).not.toBe(fingerprint)
    expect(fingerprint).toMatch(/^[0-9a-f]{8}$/)
  })

  it('is known again by its own key only: a hash of anybody else is a value like others', () => {
    const foreign = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(hash(hash('jane@example.com'))).toBe(hash('jane@example.com'))
    expect(hash(foreign)).not.toBe(foreign)
    expect(createHasher('b'.repeat(44)).hash(hash('42'))).not.toBe(hash('42'))
  })
})

describe('a mask', () => {
  it.each([
    ['jane.doe@example.com', 'j***@example.com'],
    ['j@example.com', '***@example.com'],
    ['äöü@example.com', 'ä***@example.com'],
    ['+49 (170) 123-45 67', '***67'],
    ['1701234567', '***67'],
    ['Jane', 'J***'],
    ['J', '***'],
    ['12345', '1***'],
    ['Jane Doe <jane@example.com>', 'J***'],
    ['😀 hello', '😀***'],
    ['', ''],
    [491701234567, '***67'],
    [true, null],
    [null, null],
    [{ email: 'jane@example.com' }, null],
    [['jane@example.com'], null],
  ])('of %j is %j', (value, masked) => {
    expect(mask(value)).toBe(masked)
  })

  it('takes a number by its digits, however long', () => {
    expect([mask(491701234567890123n), mask(new ExactNumber('1.5e400'))]).toEqual(['***23', '1***'])
  })

  it('of a mask is the same mask', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => mask(mask(text)) === mask(text)),
    )
  })
})

describe('a policy', () => {
  it('reaches into objects and lists, and leaves the vendor’s record as it was', () => {
    const record = { id: 1, properties: { ssn: 'x', kept: 1, people: [{ email: 'a@b.de', n: 1 }, { n: 2 }, 'text'] }, list: ['x'] }
    const before = structuredClone(record)
    expect(applied({ 'properties.ssn': 'drop', 'properties.people.email': 'hash', 'list.x': 'drop' }, record)).toEqual({
      id: 1,
      properties: { kept: 1, people: [{ email: hash('a@b.de'), n: 1 }, { n: 2 }, 'text'] },
      list: ['x'],
    })
    expect(record).toEqual(before)
  })

  it('knows a vendor’s name with dots in it, on every level', () => {
    expect(applied({ 'a.b': 'drop' }, { 'a.b': 1, a: { b: 2, c: 3 } })).toEqual({ a: { c: 3 } })
    expect(applied({ 'p.a.b': 'drop' }, { p: { 'a.b': 1, a: { b: 2 } }, 'p.a': { b: 4 } })).toEqual({ p: { a: {} }, 'p.a': {} })
  })

  it('changes the parts of a field before the whole of it', () => {
    const whole = applied({ properties: 'hash', 'properties.ssn': 'drop' }, { properties: { ssn: 'x', n: 1 } })
    expect(whole).toEqual({ properties: hash({ n: 1 }) })
  })

  it('invents nothing: what is not there stays away, and what is null stays null', () => {
    expect(applied({ email: 'hash', phone: 'mask', ssn: 'drop' }, { email: null, phone: null })).toEqual({ email: null, phone: null })
    expect(applied(Object.fromEntries([['constructor', 'mask']]), { id: 1 })).toEqual({ id: 1 })
  })

  it('makes a changed field text, and leaves a dropped one out of the fields', () => {
    const { fields } = compilePolicy({ a: 'hash', b: 'mask', c: 'drop', 'd.e': 'drop' }, { hash })
    const declared = {
      a: { type: 'bigint' },
      b: { type: 'json' },
      c: { type: 'text' },
      d: { type: 'json' },
      constructor: { type: 'text' },
    } as const
    expect(fields(declared)).toEqual({ a: { type: 'text' }, b: { type: 'text' }, d: { type: 'json' }, constructor: { type: 'text' } })
  })

  it('leaves no plain value, and changes nothing when it is applied again', () => {
    const canary = fc.stringMatching(/^canary[a-z0-9]{8}$/)
    const secret = fc.oneof(
      canary,
      canary.map((name) => `${name}@example.com`),
      canary.map((name) => ({ inner: [name, { deep: name }] })),
      fc.array(canary),
    )
    const noise = fc.dictionary(fc.string(), fc.jsonValue())
    const action = fc.constantFrom('drop', 'hash', 'mask' as const)
    fc.assert(
      fc.property(secret, secret, noise, action, action, (whole, part, rest, one, other) => {
        const columns = { secret: one, 'properties.secret': other, 'people.secret': other } as ColumnActions
        const record = { ...rest, secret: whole, properties: { n: 1, secret: part }, people: [{ secret: part }, [{ secret: whole }]] }
        const once = applied(columns, record)
        expect(jsonText(once)).not.toMatch(/canary[a-z0-9]/)
        expect(applied(columns, once)).toEqual(once)
      }),
    )
  })
})
