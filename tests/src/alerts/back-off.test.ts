import { expect, it } from 'vitest'
import { type Answer, endOf } from '../../../src/alerts/back-off.js'

const failed: Answer = { isDelivered: false, answer: 'HTTP 500' }
/** Attempts until it is given up, and how long that took. */
function patience(answer: Answer) {
  let ageMs = 0
  for (let attempts = 1; ; attempts++) {
    const end = endOf(answer, { attempts, ageMs }, 0.5)
    if (end.status !== 'pending') return { attempts, hours: ageMs / 3_600_000, end }
    ageMs += end.afterMs
  }
}

it('doubles from half a minute to two hours, and gives up within a day', () => {
  const waits = [1, 2, 3, 8, 9, 10, 500].map(
    (attempts) => (endOf(failed, { attempts, ageMs: 0 }, 0.5) as { afterMs: number }).afterMs / 1000,
  )
  expect(waits).toEqual([30, 60, 120, 3840, 7200, 7200, 7200])
  const { attempts, hours, end } = patience(failed)
  expect(end).toEqual({ status: 'given_up', error: 'HTTP 500' })
  expect(hours).toBeGreaterThan(22)
  expect(attempts).toBeLessThan(25)
})

it('gives up within an hour what the receiver refuses', () => {
  expect(patience({ ...failed, isRefused: true })).toMatchObject({ attempts: 7, hours: 63 / 120 })
})

it('leaves the receiver alone as long as it wants, up to two hours', () => {
  const after = (retryAfterMs: number) => endOf({ ...failed, retryAfterMs }, { attempts: 1, ageMs: 0 }, 0.5)
  expect(after(90_000)).toMatchObject({ afterMs: 90_000 })
  expect(after(1)).toMatchObject({ afterMs: 30_000 })
  expect(after(86_400_000)).toMatchObject({ afterMs: 7_200_000 })
})

it('is done when it is delivered', () => {
  expect(endOf({ isDelivered: true, answer: 'HTTP 200' }, { attempts: 3, ageMs: 0 }, 0.5)).toEqual({ status: 'delivered' })
})
