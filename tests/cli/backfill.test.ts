import { describe, expect, it } from 'vitest'
import { progressText, rangeOf } from '../../cli/commands/backfill.js'

const now = new Date('2026-11-27T10:00:00.500Z')

describe('the range of a backfill', () => {
  it('is of days or instants in UTC, and ends now at the latest', () => {
    expect(rangeOf({ from: '2025-01-31', to: '2025-02-01T06:00Z' }, now)).toEqual({
      from: '2025-01-31T00:00:00.000Z',
      to: '2025-02-01T06:00:00.000Z',
    })
    expect(rangeOf({ from: '2026-01-01', to: '2027-01-01' }, now).to).toBe('2026-11-27T10:00:00.000Z')
  })

  it.each([
    [{ from: '2025-02-30', to: '2025-03-01' }, /--from "2025-02-30" is no date/],
    [{ from: '2025-01-01', to: 'soon' }, /--to "soon" is no date: write it as/],
    [{ from: '2025-01-01', to: '2025-01-01' }, /must lie before --to 2025-01-01, which is not included/],
    [{ from: '2026-12-01', to: '2026-12-02' }, /lies in the future/],
  ])('%o is refused with what to write', (given, message) => {
    expect(() => rangeOf(given, now)).toThrow(message)
  })
})

it('progress is a line: slices, records, requests, and when it is done', () => {
  const row = {
    id: 'x',
    sync: 'a',
    streams: ['s'],
    from: '',
    to: '',
    status: 'running' as const,
    createdAt: '',
    createdBy: '',
    slices: { total: 1_040, done: 20, failed: 1 },
    read: 5_000,
    loaded: 0,
    unchanged: 0,
    deadLetters: 0,
    requests: 60,
    definition: '',
    perStream: [],
    endsAt: '2026-11-27T13:00:00.000Z',
  }
  expect(progressText(row, Date.parse('2026-11-27T10:00:00.000Z'))).toBe(
    'running: 20 of 1,040 slices done, 1 set aside, 5,000 records read in 60 requests, done in about 3 h',
  )
})
