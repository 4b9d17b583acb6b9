import { describe, expect, it } from 'vitest'
import { ExactNumber } from '../../../src/core/types.js'
import { parseJson, textOf } from '../../../src/http/json.js'

const one = (text: string) => (parseJson(`{"n": ${text}}`) as { n: unknown }).n

describe('JSON with exact numbers', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['12.5', 12.5],
    ['9007199254740991', 9007199254740991],
    ['-60.129999999999995', -60.129999999999995],
    ['1e5', 100_000],
    ['1.50', 1.5],
  ])('keeps %s as a number', (text, value) => {
    expect(Object.is(one(text), value)).toBe(true)
  })

  it.each(['9007199254740993', '-9223372036854775808', '123456789012345678901234567890'])('keeps %s as a bigint', (text) => {
    expect(one(text)).toBe(BigInt(text))
  })

  it.each(['1e400', '0.1234567890123456789', '1e-400', '123456789012345678901234567890.5', '1.23456789012345e-320'])(
    'keeps %s as written',
    (text) => {
      expect(one(text)).toBeInstanceOf(ExactNumber)
      expect(String(one(text))).toBe(text)
    },
  )

  it('finds such numbers in arrays and after white space, and none in texts', () => {
    expect(parseJson('{"a":[9007199254740993,\n 9007199254740995 ],"t":"x: 9007199254740993, 1e400"}')).toEqual({
      a: [9007199254740993n, 9007199254740995n],
      t: 'x: 9007199254740993, 1e400',
    })
  })

  it.each(['{"a":1,"a":2}', '{"a":9007199254740993,"a":2}'])('takes the last of equal keys: %s', (text) => {
    expect(parseJson(text)).toEqual({ a: 2 })
  })

  it.each(['{"__proto__":{"bad":1}}', '{"__proto__":{"bad":1},"n":9007199254740993}'])(
    'takes __proto__ for a key like any other: %s',
    (text) => {
      const parsed = parseJson(text) as object
      expect(Object.keys(parsed)).toContain('__proto__')
      expect((parsed as { bad?: unknown }).bad).toBeUndefined()
      expect(({} as { bad?: unknown }).bad).toBeUndefined()
    },
  )

  it.each(['{"a":', '', '<html>', '{"a":1}}', '{"a":9007199254740993,'])('refuses %j as cut', (text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ reason: 'transient' }))
  })

  it.each(['{"a":1}', '{"a":"é"}', '{"a":9007199254740993}'])('reads %s behind a byte order mark as without it', (text) => {
    expect(parseJson(textOf(Buffer.from(`\ufeff${text}`)))).toEqual(parseJson(text))
  })

  it('says clearly when it cannot go deeper', () => {
    const deep = `${'['.repeat(200_000)}9007199254740993${']'.repeat(200_000)}`
    expect(() => parseJson(deep)).toThrow(expect.objectContaining({ name: 'Failure', reason: 'permanent' }))
  })
})
