/** When a message is tried again, and when no more. Pure. */
import type { AttemptEnd } from '../warehouse/contract/alerts.js'

/** What came of an attempt. */
export interface Answer {
  isDelivered: boolean
  /** For people: a status, the beginning of a body, what stood in the way. Without secrets. */
  answer: string
  /** The receiver understood and does not want it: trying again helps only once somebody has mended something. */
  isRefused?: boolean
  /** So long the receiver wants to be left alone. */
  retryAfterMs?: number
}

const minute = 60_000
const firstMs = minute / 2
const longestMs = 120 * minute
/** A refused message would hold up those behind it for nothing. */
const triedMs = { refused: 60 * minute, failed: 24 * 60 * minute }

/**
 * Doubling from half a minute to two hours, for a day; for an hour where the receiver refuses. `Retry-After` is honoured up to two hours.
 * @param jitter 0 to 1
 */
export function endOf(
  { isDelivered, answer, isRefused, retryAfterMs = 0 }: Answer,
  tried: { attempts: number; ageMs: number },
  jitter: number,
): AttemptEnd {
  if (isDelivered) return { status: 'delivered' }
  const backOffMs = Math.min(longestMs, firstMs * 2 ** Math.min(20, tried.attempts - 1)) * (0.9 + 0.2 * jitter)
  const afterMs = Math.round(Math.max(backOffMs, Math.min(longestMs, retryAfterMs)))
  const isOver = tried.ageMs + afterMs > triedMs[isRefused ? 'refused' : 'failed']
  return isOver ? { status: 'given_up', error: answer } : { status: 'pending', afterMs, error: answer }
}
