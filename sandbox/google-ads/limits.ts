/** What a Cloud project may do in a day, and an account in a second. Figures a second are not published: these are a guess. */

import type { Reply } from '../kit/http.js'
import { refused, throttled } from './errors.js'

export interface GoogleAdsLimits {
  scale: number
  /** Operations of a project in a day of UTC; 15,000 (Basic access) when not given. */
  operations?: number
  /** Requests of an account a second, on average; 20 when not given. */
  perSecond?: number
}

const burst = 2

export class Limits {
  private readonly buckets = new Map<string, { tokens: number; atMs: number }>()
  private readonly days = new Map<string, { day: number; used: number }>()

  /** `undefined` counts nothing. */
  constructor(private readonly rules: GoogleAdsLimits | undefined) {}

  /** Spends one operation of the project, and one request of the account. Refused ones cost an operation, too. */
  spend(project: string, customer: string, version: string, nowMs: number): Reply | undefined {
    if (this.rules === undefined) return undefined
    const { scale, operations = 15_000, perSecond = 20 } = this.rules
    const today = Math.floor(nowMs / 86_400_000)
    const spent = this.days.get(project)
    const used = (spent?.day === today ? spent.used : 0) + 1
    this.days.set(project, { day: today, used })
    // Of the day's end nothing is said.
    if (used > operations) throw refused('quotaError', 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).')
    const wallMs = Date.now()
    const bucket = this.buckets.get(customer) ?? { tokens: perSecond * burst, atMs: wallMs }
    const rate = perSecond * scale
    const tokens = Math.min(perSecond * burst, bucket.tokens + ((wallMs - bucket.atMs) / 1000) * rate)
    this.buckets.set(customer, { tokens: Math.max(0, tokens - 1), atMs: wallMs })
    return tokens >= 1 ? undefined : throttled(version, `${Math.max(0.1, Math.ceil(((1 - tokens) / rate) * 10) / 10)}s`)
  }
}
