import { describe, expect, it } from 'vitest'
import { chosen } from '../../cli/commands/dlq.js'
import { letterFilter } from '../../cli/letter-filter.js'

describe('the words by which dead letters are chosen', () => {
  const now = new Date('2026-06-10T12:00:00Z')

  it('take times as durations back or as dates', () => {
    expect(letterFilter({ since: '7d' }, undefined, now)).toEqual({ since: '2026-06-03T12:00:00.000Z' })
    expect(letterFilter({ since: '2026-06-01' }, undefined, now)).toEqual({ since: '2026-06-01T00:00:00.000Z' })
    expect(() => letterFilter({ since: 'yesterday' }, undefined, now)).toThrow(/--since.*"yesterday"/)
  })

  it('take ids that are numbers', () => {
    expect(letterFilter({ id: ['1', '22'] }, 'crm')).toEqual({ ids: ['1', '22'], sync: 'crm' })
    expect(() => letterFilter({ id: ['1;'] }, undefined)).toThrow(/"1;" is not the id/)
  })

  it('must be there before anything is acted on, or --all', () => {
    expect(() => chosen({}, undefined)).toThrow(/--all/)
    expect(chosen({ all: true }, undefined)).toEqual({})
    expect(chosen({}, 'crm')).toEqual({ sync: 'crm' })
  })
})
