import { describe, expect, test } from 'vitest'
import { loadVendors } from '../../../cli/vendors.js'
import { errorLine } from '../../../src/config/errors.js'
import { validateOffline } from '../../../src/config/project.js'
import type { StreamSettings } from '../../../src/core/definition.js'
import { env, folderOf, now } from './project-of.js'

const vendors = await loadVendors()

const head = 'version: 1\nconnections:\n  k: { type: klaviyo, api_key: "${KEY}" }\n  h: { type: hubspot, access_token: "${KEY}" }\nsyncs:\n'
/** The list of a stream begins on line 10. */
const stream = (name: string, entries: string, more = '') =>
  `${head}  s:\n    from: ${vendorOf[name]}\n    streams:\n      ${name}:\n        quality:${entries}${more}\n`
const vendorOf: Record<string, string> = { profiles: 'k', campaigns: 'k', metrics: 'k', list_members: 'k', contacts: 'h', deals: 'h' }

async function read(files: string): Promise<{ lines: string[]; streams: Record<string, StreamSettings> }> {
  const answer = await validateOffline({ dir: folderOf(files), vendors, env, now })
  if (!('project' in answer)) return { lines: answer.errors.map(errorLine), streams: {} }
  return { lines: [], streams: answer.project.manifest.syncs.s!.streams }
}

describe('a check that is right', () => {
  test.each([
    ['unique: [id]', { check: 'unique', columns: ['id'] }],
    ['unique: id', { check: 'unique', columns: ['id'] }],
    ['not_null: [email, first_name]', { check: 'not_null', columns: ['email', 'first_name'] }],
    [
      'accepted_values: { column: locale, values: [de, 7, true] }',
      { check: 'accepted_values', column: 'locale', values: ['de', '7', 'true'] },
    ],
    [
      'range: { column: created, min: 2020-01-01, max: "2030-01-01T00:00:00Z" }',
      { check: 'range', column: 'created', min: '2020-01-01', max: '2030-01-01T00:00:00Z' },
    ],
    ['null_share: { column: email, max: 20% }', { check: 'null_share', column: 'email', maxPercent: 20 }],
    ['row_count_change: { max: 300% }', { check: 'row_count_change', maxPercent: 300, against: 'same_weekday' }],
    ['row_count_change: { max: 0.5, against: last }', { check: 'row_count_change', maxPercent: 0.5, against: 'last' }],
    ['freshness: { column: updated, max: 2d }', { check: 'freshness', column: 'updated', maxMs: 172_800_000 }],
    ['freshness: { max: 90m }', { check: 'freshness', maxMs: 5_400_000 }],
    ['not_null: email__json', { check: 'not_null', columns: ['email__json'] }],
  ])('%s', async (entry, compiled) => {
    const { lines, streams } = await read(stream('profiles', `\n          - ${entry}`))
    expect(lines).toEqual([])
    expect(streams.profiles?.quality).toEqual([{ ...compiled, severity: 'warn' }])
  })

  test('blocks when it says so, and may name the field or its column', async () => {
    const { lines, streams } = await read(
      stream(
        'contacts',
        '\n          - freshness: { column: updated_at, max: 1d }\n            severity: block\n          - not_null: updatedAt',
      ),
    )
    expect(lines).toEqual([])
    expect(streams.contacts?.quality).toMatchObject([
      { column: 'updated_at', severity: 'block' },
      { columns: ['updatedAt'], severity: 'warn' },
    ])
  })

  test('a vendor’s own fields are not known before the vendor is asked, and so are let through', async () => {
    expect((await read(stream('contacts', '\n          - not_null: my_property'))).lines).toEqual([])
  })

  test('reconcile stands where the vendor counts', async () => {
    const { streams } = await read(stream('deals', '\n          - reconcile: { total: count }'))
    expect(streams.deals?.quality).toEqual([{ check: 'reconcile', total: 'count', tolerancePercent: 1, severity: 'warn' }])
    expect((await read(stream('list_members', '\n          - reconcile: { total: count, tolerance: 0% }'))).lines).toEqual([])
  })
})

describe('a check that is wrong', () => {
  const at = (column: number, path: string, message: string) =>
    `weir.yaml:11:${column}: syncs.s.streams.profiles.quality.0${path}: ${message}`
  test.each([
    ['unique: [id, emal]', at(26, '.unique.1', 'stream "profiles" has no field "emal"; did you mean "email"?')],
    ['not_nul: email', at(13, '.not_nul', 'unknown key "not_nul"; did you mean "not_null"?')],
    ['unique', at(13, '', 'expected a map of keys, found "unique"')],
    ['not_null: []', at(23, '.not_null', 'the list is empty')],
    ['not_null: 7', at(23, '.not_null', 'expected a field, or a list of fields, found 7')],
    [
      'range: { column: email, min: 0 }',
      at(30, '.range.column', '"email" cannot be checked so: it holds text, which has no order to check a range by'),
    ],
    ['range: { column: created, min: 7 }', at(30, '.range.column', '"created" cannot be checked so: it holds instants, and "7" is none')],
    [
      'range: { column: created, min: 2026-02-30 }',
      at(30, '.range.column', '"created" cannot be checked so: it holds instants, and "2026-02-30" is none'),
    ],
    ['range: { column: created }', at(20, '.range', 'a range has "min", "max" or both')],
    ['range: { column: created, min: 9, max: 1 }', at(44, '.range.min', 'the range is empty: "9" is more than "1"')],
    [
      'accepted_values: { column: location, values: [x] }',
      at(40, '.accepted_values.column', '"location" cannot be checked so: it holds JSON, which cannot be compared with values'),
    ],
    ['accepted_values: { column: email, values: [] }', at(55, '.accepted_values.values', 'the list is empty')],
    [
      'null_share: { column: email, max: 120% }',
      at(47, '.null_share.max', 'expected a percentage from 0 to 100, such as 20%, found "120%"'),
    ],
    [
      'freshness: { column: email, max: 2d }',
      at(34, '.freshness.column', '"email" cannot be checked so: it holds text, not instants or dates'),
    ],
    ['freshness: { max: soon }', at(31, '.freshness.max', 'expected a duration of at least 1m, such as 2d, found "soon"')],
    [
      'row_count_change: { max: 30%, against: weekday }',
      at(52, '.row_count_change.against', 'expected "same_weekday" or "last", found "weekday"'),
    ],
    ['reconcile: { total: count }', at(24, '.reconcile', 'the vendor reports no total of stream "profiles"; leave "reconcile" out')],
    [
      '{ severity: warn }',
      at(13, '', 'no check is named; checks: unique, not_null, accepted_values, range, null_share, row_count_change, freshness, reconcile'),
    ],
    ['{ unique: id, not_null: id }', at(13, '', '2 checks stand in one entry; give each an entry of its own')],
  ])('%s', async (entry, line) => {
    expect((await read(stream('profiles', `\n          - ${entry}`))).lines).toEqual([line])
  })

  test.each([
    ['metrics', '- freshness: { max: 2d }', '.freshness: stream "metrics" has no cursor to be fresh by; name a column'],
    ['deals', '- reconcile: { total: spend }', '.reconcile.total: only "count" is supported'],
  ])('of %s: %s', async (name, entry, said) => {
    const { lines } = await read(stream(name, `\n          ${entry}`))
    expect(lines).toEqual([expect.stringContaining(`quality.0${said}`)])
  })

  test('reconcile where not every record stands once', async () => {
    const append = await read(stream('deals', '\n          - reconcile: { total: count }', '\n        mode: append'))
    expect(append.lines).toEqual([expect.stringContaining('mode append keeps every version')])
    const part = await read(stream('deals', '\n          - reconcile: { total: count }', '\n        start: -90d'))
    expect(part.lines).toEqual([expect.stringContaining('with "start" only a part of the records is read')])
  })

  test('a list that is none, and every fault of a list at once', async () => {
    expect((await read(stream('profiles', ' { unique: id }'))).lines).toEqual([
      'weir.yaml:10:18: syncs.s.streams.profiles.quality: expected a list of checks, such as "- unique: id", found a map',
    ])
    expect((await read(stream('profiles', '\n          - unique: x\n          - uniq: y\n          - not_null: z'))).lines).toHaveLength(3)
  })
})

describe('a list further out', () => {
  const cascade = (own: string) => `${head}  s:
    from: h
    quality:
      - freshness: { max: 2d }
      - reconcile: { total: count }
    streams:
      contacts:
      owners:
      deals: { start: -30d }
      tickets: { quality: ${own} }
defaults:
  quality: [{ row_count_change: { max: 30% } }]
`
  test('stands for the streams that have none, where it applies to them', async () => {
    const { lines, streams } = await read(cascade('[{ unique: id }]'))
    expect(lines).toEqual([])
    const names = Object.fromEntries(Object.entries(streams).map(([name, { quality }]) => [name, quality?.map(({ check }) => check)]))
    expect(names).toEqual({
      contacts: ['freshness', 'reconcile'],
      owners: undefined,
      deals: ['freshness'],
      tickets: ['unique'],
    })
  })

  test('is replaced by an empty one', async () => {
    expect((await read(cascade('[]'))).streams.tickets?.quality).toBeUndefined()
  })

  test('takes no check of columns, even where no stream is left to it', async () => {
    const files = `${head}  s: { from: k, streams: { profiles: { quality: [] } } }\ndefaults:\n  quality: [{ unique: id }]\n`
    expect((await read(files)).lines).toEqual([
      'weir.yaml:8:15: defaults.quality.0.unique: unknown key "unique"; allowed here: row_count_change, freshness, reconcile, severity',
    ])
  })
})
