import { describe, expect, it } from 'vitest'
import { ExactNumber, type FieldType } from '../../../src/core/types.js'
import { Unstorable } from '../../../src/schema/cells.js'
import { type Column, type Missing, RowEncoder, type Wanted } from '../../../src/schema/encode.js'

const columns = (...types: FieldType[]): Column[] => types.map((type) => ({ field: type, name: type, type }))

function encode(type: FieldType, value: unknown): { line: string; missing: Wanted[] } {
  const missing: Missing = new Map()
  const line = new RowEncoder(columns(type)).encode({ [type]: value }, missing)
  return { line: line.slice(0, line.lastIndexOf('\t')), missing: [...missing.values()] }
}

describe('values and the columns they fit', () => {
  it.each<[FieldType, unknown, string]>([
    ['text', 'a\tb\nc\\d\r', 'a\\tb\\nc\\\\d\\r'],
    ['text', 12, '12'],
    ['text', true, 'true'],
    ['text', '', ''],
    ['bigint', 42, '42'],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['bigint', 9223372036854775807n, '9223372036854775807'],
    ['numeric', 0.1, '0.1'],
    ['numeric', '12.50', '12.50'],
    ['numeric', new ExactNumber('123456789012345678901234567890.12'), '123456789012345678901234567890.12'],
    ['double', 1.5, '1.5'],
    ['double', '1.5', '1.5'],
    ['double', '0.0001', '0.0001'],
    ['double', '-999999999999999', '-999999999999999'],
    ['boolean', true, 't'],
    ['boolean', 'false', 'f'],
    ['timestamp', '2026-02-01T10:00:00+00:00', '2026-02-01T10:00:00+00:00'],
    ['timestamp', '2026-02-01 10:00:00', '2026-02-01 10:00:00Z'],
    ['timestamp', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['timestamp', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
    ['date', '2024-02-29', '2024-02-29'],
    ['json', { a: 'x\ny', b: [1] }, '{"a":"x\\\\ny","b":[1]}'],
    ['json', { big: 9007199254740993n, exact: new ExactNumber('1e400') }, '{"big":9007199254740993,"exact":1e400}'],
    ['json', 'text', '"text"'],
  ])('a %s column takes its value whole (%#)', (type, value, line) => {
    expect(encode(type, value)).toEqual({ line, missing: [] })
  })

  it.each<[FieldType, unknown, FieldType]>([
    ['text', { a: 1 }, 'json'],
    ['bigint', 1.5, 'numeric'],
    ['bigint', '007', 'text'],
    ['bigint', '9223372036854775808', 'text'],
    ['numeric', 'N/A', 'text'],
    ['double', '1.10', 'text'],
    ['double', '0.00001', 'text'],
    ['double', '1e-7', 'text'],
    ['double', '1e+21', 'text'],
    ['double', '123456789012345680000', 'text'],
    ['double', '5.684341886080802e-14', 'text'],
    ['double', '-0', 'text'],
    ['boolean', 'yes', 'text'],
    ['boolean', 1, 'numeric'],
    ['timestamp', '2026-02-30T10:00:00Z', 'text'],
    ['timestamp', '2026-02-01T24:00:00Z', 'text'],
    ['timestamp', '2026-02-01T10:00:00.1234567Z', 'text'],
    ['timestamp', 1_793_606_400, 'numeric'],
    ['date', '2023-02-29', 'text'],
    ['date', '0000-01-01', 'text'],
  ])('a %s column sends what does not fit to a variant (%#)', (type, value, variant) => {
    const { line, missing } = encode(type, value)
    expect(line).toBe('\\N')
    expect(missing).toEqual([{ field: type, type: variant, variant }])
  })

  it('writes null for what is absent, and asks for no column for it', () => {
    expect(encode('text', null)).toEqual({ line: '\\N', missing: [] })
    const missing: Missing = new Map()
    new RowEncoder(columns('text')).encode({ other: null }, missing)
    expect([...missing]).toEqual([])
  })

  it('asks for columns by the type of the first value', () => {
    const missing: Missing = new Map()
    new RowEncoder([]).encode({ s: 'x', n: 1, b: true, o: {}, a: [], e: new ExactNumber('1e400') }, missing)
    expect([...missing.values()]).toEqual([
      { field: 's', type: 'text' },
      { field: 'n', type: 'numeric' },
      { field: 'b', type: 'boolean' },
      { field: 'o', type: 'json' },
      { field: 'a', type: 'json' },
      { field: 'e', type: 'numeric' },
    ])
  })

  it('puts what has no column into _weir_extra when the table is full', () => {
    const missing: Missing = new Map()
    const line = new RowEncoder(columns('text'), () => true).encode({ text: 'x', more: [1] }, missing)
    expect(line).toBe('x\t{"more":[1]}')
    expect(missing.size).toBe(0)
  })

  it.each<[string, FieldType, unknown]>([
    ['NUL in text', 'text', 'a\u0000b'],
    ['NUL in JSON', 'json', { a: 'x\u0000' }],
    ['half a surrogate in text', 'text', 'a\ud800'],
    ['half a surrogate in JSON', 'json', ['\udfff']],
  ])('refuses %s aloud, naming the field', (_, type, value) => {
    expect(() => encode(type, value)).toThrow(Unstorable)
    expect(() => encode(type, value)).toThrow(new RegExp(`field "${type}"`))
  })

  it('takes a text that merely spells an escape', () => {
    expect(encode('json', { a: '\\u0000' }).line).toBe('{"a":"\\\\\\\\u0000"}')
  })
})
