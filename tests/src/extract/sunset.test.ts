import { describe, expect, it } from 'vitest'
import { sunsetWarning } from '../../../src/extract/connector.js'
import { api } from '../http/support.js'

describe('a version of an API that is about to end', () => {
  const two = { ...api, versions: [{ name: 'v2', sunset: '2027-03-01' }, { name: 'v1', sunset: '2026-12-01' }, { name: 'v0' }] as const }
  const on = (used: string | undefined, day: string) => sunsetWarning(two, used, new Date(`${day}T12:00:00Z`))

  it('is told of from 90 days before its end, and of none else', () => {
    expect(on(undefined, '2026-11-29')).toBeUndefined()
    expect(on(undefined, '2026-12-01')).toMatch(/Vendor v2, served until 2027-03-01: 89 days\. Upgrade Weir/)
    expect(on('v1', '2026-11-29')).toMatch(/v1, served until 2026-12-01: 1 days/)
    expect(on('v1', '2026-12-05')).toMatch(/-5 days/)
    expect(on('v0', '2026-12-05')).toBeUndefined()
  })
})
