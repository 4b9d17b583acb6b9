import { describe, expect, it } from 'vitest'
import { columnName, joinedName, rawColumn } from '../../../src/schema/names.js'

describe('column names', () => {
  it.each([
    ['updatedAt', 'updated_at'],
    ['HTTPServer', 'http_server'],
    ['$value', 'value'],
    ['Order Id', 'order_id'],
    ['select', 'select'],
    ['already_snake', 'already_snake'],
    ['a"; DROP TABLE x; --', 'a_drop_table_x'],
  ])('%s becomes %s', (field, name) => {
    expect(columnName(field, new Set())).toBe(name)
  })

  it('gives colliding fields names of their own, the same in every run', () => {
    const first = columnName('Order Id', new Set())
    const second = columnName('order-id', new Set([first]))
    expect(second).not.toBe(first)
    expect(second).toMatch(/^order_id_[0-9a-f]{8}$/)
    expect(columnName('order-id', new Set([first]))).toBe(second)
  })

  it('gives a name of Weir’s own to no field', () => {
    for (const field of ['_weir_run_id', rawColumn, '_WEIR_RAW', '_weir_raw ']) expect(columnName(field, new Set())).not.toMatch(/^_weir_/)
  })

  it('names what has no letters, keeps to 63 bytes, and never makes a name of Weir’s own', () => {
    for (const field of ['', '🎉', '___', 'x'.repeat(200), 'ж'.repeat(80), '_weir_run_id']) {
      const name = columnName(field, new Set())
      expect(name).toMatch(/^[a-z0-9_]+$/)
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
      expect(name.startsWith('_weir_')).toBe(false)
    }
    expect(columnName('x'.repeat(200), new Set())).not.toBe(columnName(`${'x'.repeat(199)}y`, new Set()))
  })

  it('joins the parts of a stage’s name within 63 bytes, apart for different parts', () => {
    expect(joinedName('klaviyo', 'profiles')).toBe('klaviyo__profiles')
    const long = joinedName('s'.repeat(60), 'profiles')
    expect(long.length).toBe(63)
    expect(long).not.toBe(joinedName('s'.repeat(60), 'events'))
  })
})
