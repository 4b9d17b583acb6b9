/** The org's quota of requests in the last 24 hours, which every answer tells of, and those of bulk jobs. */
import { Refused, type Reply } from '../kit/http.js'
import { overLimit } from './errors.js'

export interface SalesforceLimits {
  /** Requests in 24 hours; 100,000 when not given. */
  daily?: number
  /** Bulk query jobs in 24 hours; 10,000 when not given. */
  queryJobs?: number
  scale: number
}

const hourMs = 3_600_000

export class Limits {
  /** `per-app` adds what this app took; separators differ in the wild. */
  readonly switches = { style: 'plain' as 'plain' | 'per-app' | 'bursts' }
  /** Requests an hour, newest last. */
  private readonly hours: { hour: number; calls: number }[] = []
  queryJobs = 0

  /** `undefined` refuses nothing; what is used is told all the same. */
  constructor(
    private readonly rules: SalesforceLimits | undefined,
    private readonly nowMs: () => number,
  ) {}

  get daily(): number {
    // Where nothing is refused the quota is that of a sandbox org.
    return this.rules === undefined ? 5_000_000 : (this.rules.daily ?? 100_000)
  }

  get used(): number {
    const since = Math.floor((this.nowMs() - 24 * hourMs) / hourMs)
    return this.hours.filter(({ hour }) => hour > since).reduce((sum, { calls }) => sum + calls, 0)
  }

  get mostQueryJobs(): number {
    return this.rules?.queryJobs ?? 10_000
  }

  /** @throws Refused when the day's requests are spent. */
  spend(): void {
    if (this.rules !== undefined && this.used >= this.daily) throw new Refused({ ...overLimit('day'), headers: this.header() })
    const hour = Math.floor(this.nowMs() / hourMs)
    const last = this.hours.at(-1)
    if (last?.hour === hour) last.calls++
    else this.hours.push({ hour, calls: 1 })
  }

  header(): Record<string, string> {
    const usage = `api-usage=${this.used}/${this.daily}`
    const more = { plain: '', 'per-app': `;per-app-api-usage=17/250(appName=weir)`, bursts: '; api-bursts=1/750' }[this.switches.style]
    return { 'sforce-limit-info': usage + more }
  }

  shown(): Reply['body'] {
    const left = (Max: number, used: number) => ({ Max, Remaining: Math.max(0, Max - used) })
    return {
      DailyApiRequests: { ...left(this.daily, this.used), weir: { Max: 0, Remaining: 0 } },
      DailyBulkApiBatches: left(15_000, 0),
      DailyBulkV2QueryJobs: left(this.mostQueryJobs, this.queryJobs),
      DailyBulkV2QueryFileStorageMB: left(976_562, 0),
      DataStorageMB: left(5_120, 310),
      FileStorageMB: left(20_480, 12),
    }
  }
}
