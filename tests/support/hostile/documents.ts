/** Hostile JSON texts as a vendor may send them, drawn by fast-check. */
import fc from 'fast-check'

type Text = fc.Arbitrary<string>

export const numbers = [
  '0', '-0', '-0.0', '1', '0.1', '0.10', '1.0', '100', '1E5', '1e-5', '12.5', '0.30000000000000004', '5000.1234567890123',
  '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '9007199254740993.0', '1e15', '1e16', '1e21', '1e22', '1e23',
  '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '18446744073709551616',
  '123456789012345678901234567890', '100000000000000000000000000000', '-123456789012345678901234567890.123456789',
  '0.1234567890123456789', '1e400', '-1e400', '1e-400', '1.7976931348623157e308', '1.7976931348623159e308', '2.2250738585072014e-308',
  '4.9e-324', '5e-324', '1.23456789012345e-320', '1e0000000001', '1767225600', '1767225600000', '253402300800',
] // biome-ignore format: one table
/** Beyond what PostgreSQL's numeric holds, or near its edge. */
export const edgeNumbers = [
  '1e9999',
  '1e-9999',
  '1e131071',
  '1e131072',
  '1e-16383',
  '1e-16384',
  '1e-20000',
  '1e99999',
  '-1e200000',
  `1${'0'.repeat(6_000)}`,
]

export const texts = [
  '', ' ', 'plain', '\\N', '\\\\N', '\\.', 'a\\.\nb', '\t', '\n', '\r\n', '\\', '\\\\', 'tab\there', 'a\\tb', '\\u0000', 'null', '"', "'; DROP TABLE x; --",
  '😀', '👩‍👩‍👧', '\u202eevil\u202c', '\u2028\u2029', 'é', 'e\u0301', '\ufeff', '\u001f', 'a\u001fname=b', '\u0001\u007f\u0080', '\ufffe\uffff', '{"a":1}',
  '0', '-0', '007', '12', '12.50', '-12.5', '+5', '1e5', '9007199254740993', '9223372036854775808', '123456789012345678901234567890.5', 'NaN', 'Infinity',
  '-Infinity', '1,5', '0x10', '1_000', 'true', 'false', 'TRUE', 't', 'yes', 'infinity', 'now', 'today', 'epoch',
] // biome-ignore format: one table

export const times = [
  '2026-02-01', '2026-02-30', '2024-02-29', '2023-02-29', '1900-02-29', '2000-02-29', '0000-01-01', '0001-01-01', '9999-12-31', '10000-01-01', '2026-2-1',
  '2026-02-01T10:00:00Z', '2026-02-01T10:00:00', '2026-02-01 10:00', '2026-02-01T10:00Z', '2026-02-01T10:00:00+0530', '2026-02-01T10:00:00+05:30',
  '2026-02-01T10:00:00-05', '2026-02-01T10:00:00+15:59', '2026-02-01T10:00:00+16:00', '2026-02-01T10:00:00.123456Z', '2026-02-01T10:00:00.1234567Z',
  '2026-02-01T10:00:00.123456789Z', '2026-02-01T24:00:00Z', '2026-02-01T23:59:60Z', '2026-02-01T25:00:00Z', '2026-02-30T10:00:00Z', '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z', '0001-01-01T00:00:00+15:00', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59-15:00', '10000-01-01T00:00:00Z',
  '2026-02-01t10:00:00z', '20260201T100000Z', '2026-W05-7', '01/02/2026', '2026-02-01T10:00:00 Europe/Paris', '2026-02-01\n',
] // biome-ignore format: one table

/** What PostgreSQL stores nowhere: NUL, and halves of surrogate pairs. */
const poisons = ['a\u0000b', '\u0000', '\ud800', 'x\udfff', '\ude00\ud83d']

/** Names of fields, among them some that meet each other's columns, variants and PostgreSQL's own. */
export const names = [
  't', 'num', 'int', 'dbl', 'flag', 'day', 'at', 'doc', // declared
  'a', 'A', 'a ', 'a__text', 'a__json', 'a__numeric', 'a__text__text', 'a__text__json', 't__json', 't__text', 'First Name', 'first_name', 'FirstName', '', ' ', '__proto__', 'constructor', 'toString',
  'hasOwnProperty', 'toJSON', 'length', 'weir_line', '_weir_line', '_weir_raw', '_weir_run_id', '_weir_extra', '_weir_deleted_at', 'xmin', 'ctid', 'tableoid', 'CMAX', 'oid',
  'select', 'order', 'é', '日本語', '😀', '\u202e', 'x'.repeat(63), 'x'.repeat(64), `${'x'.repeat(64)}y`, 'é'.repeat(40), 'n"; DROP TABLE canary; --', 'tab\t',
  '\\', '\\N', '$1', '1st', 'next', 'seen', 'n',
] // biome-ignore format: one table

/** A JSON string of these characters, as it is or all in escapes. */
const quoted = (text: Text): Text =>
  fc.tuple(text, fc.integer({ min: 0, max: 3 })).map(([value, way]) => {
    if (way > 0) return JSON.stringify(value)
    return `"${[...Array(value.length).keys()].map((i) => `\\u${value.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
  })

const digits = (maxLength: number): Text => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength })
export const anyNumber: Text = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(32),
    fc.option(digits(24), { nil: '' }),
    fc.constantFrom('', '', '', 'e2', 'E+15', 'e-7', 'e300', 'e-300'),
  )
  .map(([sign, whole, fraction, power]) => `${sign}${whole.replace(/^0+(?=\d)/, '')}${fraction && `.${fraction}`}${power}`)

const number: Text = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...numbers) }, { weight: 2, arbitrary: anyNumber })
const text: Text = quoted(
  fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...texts, ...times) },
    { weight: 20, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
    { weight: 20, arbitrary: fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', '"', 'N', '.', 't', '\u001f', ' ') }) },
    { weight: 1, arbitrary: fc.constantFrom(...poisons) },
  ),
)
const key: Text = quoted(
  fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...names) },
    { weight: 8, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
    { weight: 1, arbitrary: fc.constantFrom(...poisons) },
  ),
)
const scalar: Text = fc.oneof(
  { weight: 4, arbitrary: number },
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null', '{}', '[]') },
)
const deep: Text = fc
  .tuple(fc.integer({ min: 1, max: 1_000 }), scalar, fc.constantFrom(['[', ']'], ['{"k":', '}'], ['[{"":', '}]']))
  .map(
    ([levels, inner, [open, close]]) =>
      `${open!.repeat(Math.ceil(levels / open!.length))}${inner}${close!.repeat(Math.ceil(levels / open!.length))}`,
  )
const member = (value: Text): Text => fc.tuple(key, value).map((pair) => pair.join(':'))
/** Any JSON text. */
export const anyJson: Text = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 12, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[ ${items.join(' ,\n')}]`) },
    { weight: 2, arbitrary: fc.array(member(tie('value')), { maxLength: 4 }).map((items) => `{${items.join(',')} }`) },
  ),
})).value
const value: Text = fc.oneof(
  { weight: 60, arbitrary: anyJson },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: fc.constantFrom(...edgeNumbers) },
)

const id: Text = fc.oneof(
  { weight: 60, arbitrary: fc.integer({ min: 100, max: 1e9 }).map((n) => `"${n}"`) },
  { weight: 12, arbitrary: fc.constantFrom('"a"', '"b"', '"7"', '7') },
  { weight: 8, arbitrary: text },
  { weight: 3, arbitrary: value },
  {
    weight: 3,
    arbitrary: fc.constantFrom('null', '""', '{}', '[]', '{"of":1}', '{"of":2}', '[1]', 'true', '-0', '1.50', '12345678901234567890'),
  },
)
const cursor: Text = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 4 }).map((n) => `"2026-01-0${n}T00:00:00Z"`) },
  { weight: 2, arbitrary: fc.constantFrom(...times).map((time) => JSON.stringify(time)) },
  { weight: 2, arbitrary: value },
)
/** A record: an object with a key and a cursor, mostly, and anything else. */
const record: Text = fc
  .tuple(
    fc.option(
      id.map((v) => `"id":${v}`),
      { freq: 40, nil: '' },
    ),
    fc.option(
      cursor.map((v) => `"updated":${v}`),
      { freq: 20, nil: '' },
    ),
    fc.array(member(value), { maxLength: 8 }),
    fc.boolean(),
  )
  .map(
    ([key, updated, fields, first]) =>
      `{${(first ? [key, updated, ...fields] : [...fields, updated, key]).filter((m) => m !== '').join(',')}}`,
  )

/** One page, mostly of records. */
const page: Text = fc
  .array(fc.oneof({ weight: 60, arbitrary: record }, { weight: 1, arbitrary: scalar }), { maxLength: 12 })
  .map((records) => `{"data":[${records.join(',')}]}`)
  .chain((text) => fc.constantFrom(text, text, text, `\ufeff${text}`, ` \n${text}\t`))
/** Pages as a vendor sends them: some empty, some twice. */
export const pages: fc.Arbitrary<string[]> = fc
  .tuple(fc.array(page, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([all, twice]) => (twice ? [...all, all[0]!] : all))
