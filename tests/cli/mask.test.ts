import { describe, expect, it } from 'vitest'
import { maskInline, maskText, maskValue } from '../../cli/mask.js'
import { parseJson } from '../../src/http/json.js'

describe('what is shown of a dead letter', () => {
  it('keeps structure and types, and hides what texts and long numbers say', () => {
    const record = parseJson(
      '{"id":"01HXYZ","email":"anna@example.com","age":41,"plan":null,"ok":true,"tags":["vip","x"],"phone":4915112345678,"cents":12345678901234567890.5,"at":{"zip":"80331","n":1.5}}',
    )
    expect(maskValue(record)).toEqual({
      id: '0… (6)',
      email: 'a… (16)',
      age: 41,
      plan: null,
      ok: true,
      tags: ['v… (3)', '… (1)'],
      phone: 'number of 13 digits',
      cents: 'number of 21 digits',
      at: { zip: '8… (5)', n: 1.5 },
    })
  })

  it('hides addresses and telephone numbers in names of fields, keys and messages', () => {
    expect(maskValue({ 'anna@example.com': 1 })).toEqual({ 'a… (16)': 1 })
    expect(maskInline('refused for anna.b+c@mail.example.org (23505)')).toBe('refused for a… (25) (23505)')
    expect(maskInline('call +49 (151) 1234-5678 now')).toBe('call +… (19) now')
    expect(maskInline('["anna@example.com","7"]')).toBe('["a… (16)","7"]')
  })

  it('leaves ids and instants of a message readable', () => {
    for (const text of [
      'PostgreSQL refused it for crm.people: … (23514)',
      'main/2026-01-01T00:00:00.000Z..2026-01-08T00:00:00.000Z',
      '01J9ZQ4W',
      '123456789012',
      '["2026-01-31","7"]',
    ])
      expect(maskInline(text)).toBe(text)
  })

  it('shows no text of one letter, and ends at a depth', () => {
    expect(maskText('M')).toBe('… (1)')
    expect(maskText('')).toBe('')
    let deep: unknown = 'core'
    for (let i = 0; i < 100_000; i++) deep = { deep }
    expect(JSON.stringify(maskValue(deep))).not.toContain('c…')
  })
})
