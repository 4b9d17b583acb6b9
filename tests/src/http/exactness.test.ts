import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/http/json.js'
import { jsonText } from '../../../src/schema/json.js'

/** A decimal as sign, digits and power of ten: equal for equal numbers, however they are written. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? expect.fail(text)
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  return kept === '' ? '0' : `${sign}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`
}

function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

describe('a number out of JSON', () => {
  it('is what the vendor wrote, however long and wherever its point stands', () => {
    const roll = dice(11)
    const digits = (length: number) => Array.from({ length }, () => roll(10)).join('')
    const numbers = Array.from({ length: 20_000 }, () => {
      const whole = roll(3) === 0 ? '0' : `${1 + roll(9)}${digits(roll(22))}`
      const fraction = roll(2) ? `.${digits(1 + roll(22))}` : ''
      const power = roll(8) === 0 ? `${roll(2) ? 'e' : 'E'}${['', '+', '-'][roll(3)]}${roll(330)}` : ''
      return `${roll(4) === 0 ? '-' : ''}${whole}${fraction}${power}`
    })
    // One by one, so that no other number turns the page over to the exact parser.
    for (const number of numbers) {
      for (const text of [`{"n":${number}}`, `[1, \n${number} ]`]) {
        const [value] = Object.values(parseJson(text) as object).slice(-1)
        expect(decimal(String(value)), number).toBe(decimal(number))
      }
    }
    const whole = parseJson(`[${numbers.join(',')}]`) as unknown[]
    expect(whole.map((value) => decimal(String(value)))).toEqual(numbers.map(decimal))
  })

  it.each([
    '9007199254740993',
    '1234567890123456789',
    '1e400',
    '-0',
    '0.1',
    '1.0',
    '1E5',
    '1.7976931348623157e308',
    '4.9e-324',
    '0.30000000000000004',
    '5000.1234567890123',
    '9007199254740993.0',
    '100000000000000000000000000000',
  ])('is exact at the top, too: %s', (number) => {
    expect(decimal(String(parseJson(number)))).toBe(decimal(number))
  })
})

describe('a body', () => {
  it.each(['{"__proto__":{"bad":1},"constructor":{"bad":2},"toString":1,"hasOwnProperty":2', '{"a":{"__proto__":null},"__proto__":[1]'])(
    'gives odd keys as own properties by both parsers, and spoils nothing: %s',
    (start) => {
      for (const text of [`${start}}`, `${start},"n":9007199254740993}`]) {
        const parsed = parseJson(text) as Record<string, unknown>
        const expected = JSON.parse(text) as Record<string, unknown>
        expect(Object.keys(parsed)).toEqual(Object.keys(expected))
        expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
        expect(Object.getOwnPropertyDescriptor(parsed, '__proto__')?.value).toEqual(
          Object.getOwnPropertyDescriptor(expected, '__proto__')?.value,
        )
      }
      expect(({} as { bad?: unknown }).bad).toBeUndefined()
    },
  )

  it.each([
    ['{"a":{"x":1},"a":{"y":2}', { y: 2 }],
    ['{"a":1,"a":null', null],
    ['{"a":1,"a":[]', []],
  ])('gives the last of equal keys by both parsers: %s', (start, value) => {
    for (const text of [`${start}}`, `${start},"n":9007199254740993}`]) expect((parseJson(text) as { a: unknown }).a).toEqual(value)
  })

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])('that is nested a hundred thousand times is read whole, or is a failure that says so: %s', (open, close) => {
    const text = (inner: string) => `{"data":${open.repeat(100_000)}${inner}${close.repeat(100_000)}}`
    expect(jsonText(parseJson(text('1')))).toBe(text('1'))
    expect(() => parseJson(text('9007199254740993'))).toThrow(expect.objectContaining({ name: 'Failure', reason: 'permanent' }))
  })

  it('may be nested as deep as anybody nests', () => {
    for (const inner of ['1', '9007199254740993']) {
      const text = `${'[{"a":'.repeat(500)}${inner}${'}]'.repeat(500)}`
      expect(jsonText(parseJson(text))).toBe(text)
    }
    const brackets = { text: ']}'.repeat(2_000), quoted: '\\"['.repeat(2_000) }
    expect(parseJson(JSON.stringify(brackets))).toEqual(brackets)
  })

  it('cut anywhere is no body', () => {
    for (const text of ['{"data":[{"id":1,"n":null},{"id":9007199254740993}],"next":"x"}', '[{"a":"b"},{"c":1.5}]'])
      for (let end = 0; end < text.length; end++)
        expect(() => parseJson(text.slice(0, end)), text.slice(0, end)).toThrow(expect.objectContaining({ reason: 'transient' }))
  })
})
