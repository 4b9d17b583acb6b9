import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactNumber } from '../../../src/core/types.js'
import { jsonTextOf, parseJson, textOf } from '../../../src/http/json.js'

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

describe('the text of a JSON body', () => {
  /** Few characters beyond ASCII among many within, at any distance. */
  const words = fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 60 }) },
      fc.string({ unit: 'grapheme', maxLength: 3 }),
    ),
  )

  it('says what the body says, wherever its memory begins', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), words), fc.integer({ min: 0, max: 7 }), (value, offset) => {
        const bytes = Buffer.from(JSON.stringify(value))
        const placed = Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset)
        expect(parseJson(jsonTextOf(placed))).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('takes one byte a character where few lie beyond ASCII, and stays as it is where many do', () => {
    const few = JSON.stringify({ name: 'Zoë 🌼', note: 'x'.repeat(400) })
    expect(jsonTextOf(Buffer.from(few))).toBe(few.replace('ë', '\\u00eb').replace('🌼', '\\ud83c\\udf3c'))
    const many = JSON.stringify({ name: '東京都'.repeat(40) })
    expect(jsonTextOf(Buffer.from(many))).toBe(many)
  })

  it.each(['{"a":"\\é"}', '{"a":"\\\\\\é"}', '{é:1}', 'é{"a":1}', '{"a":1}é'])('is no JSON where the body is none: %s', (text) => {
    const body = Buffer.from(`${text.slice(0, -1)}${' '.repeat(100)}${text.slice(-1)}`)
    for (const one of [Buffer.from(text), body])
      expect(() => parseJson(jsonTextOf(one))).toThrow(expect.objectContaining({ reason: 'transient' }))
  })

  it('keeps what is behind two backslashes, and what is no UTF-8 as replacement characters', () => {
    expect(parseJson(jsonTextOf(Buffer.from(`{"a":"\\\\é","b":"${'x'.repeat(99)}"}`)))).toMatchObject({ a: '\\é' })
    const cut = Buffer.concat([Buffer.from(`{"b":"${'x'.repeat(99)}","a":"`), Buffer.of(0xc3), Buffer.from('"}')])
    expect(parseJson(jsonTextOf(cut))).toMatchObject({ a: '\ufffd' })
  })
})
