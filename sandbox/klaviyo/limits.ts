/** Klaviyo's quotas: two fixed windows an endpoint, and further counters for parameters that cost more. */
import { Refused } from '../kit/http.js'
import { FixedWindows, type Window } from '../kit/windows.js'
import { throttled } from './errors.js'

/** Burst and steady of each tier, as the OpenAPI of revision 2026-07-15 states them. */
export const tiers = {
  XS: { burst: 1, steady: 15 },
  S: { burst: 3, steady: 60 },
  M: { burst: 10, steady: 150 },
  L: { burst: 75, steady: 750 },
  XL: { burst: 350, steady: 3500 },
  reports: { burst: 1, steady: 2, daily: 225 },
} as const
export type Tier = keyof typeof tiers

interface Numbers {
  burst: number
  steady: number
  daily?: number
}

export interface KlaviyoLimits {
  scale: number
  /** Other numbers for some tiers. */
  tiers?: Partial<Record<Tier, Numbers>>
}

export class Limits {
  private readonly counters = new Map<string, FixedWindows>()

  /** `undefined` counts nothing. */
  constructor(private readonly rules: KlaviyoLimits | undefined) {}

  /**
   * Spends one call from the endpoint's counter and from each extra one, or refuses and spends nothing.
   * Gives the headers that describe what is left.
   */
  spend(who: string, endpoint: string, tier: Tier, extras: readonly { name: string; tier: Tier }[]): Record<string, string> {
    if (this.rules === undefined) return {}
    const nowMs = Date.now()
    const counters = [{ name: endpoint, tier }, ...extras].map((counter) => ({
      ...counter,
      windows: this.counter(`${who} ${counter.name}`, counter.tier),
    }))
    let headers: Record<string, string> = {}
    for (const { windows, tier: of } of counters) {
      const verdict = windows.look(nowMs)
      if (!verdict.allowed) throw new Refused(throttled(String(verdict.waitSeconds)))
      const { burst, steady, daily } = this.numbers(of)
      // The tightest counter is described: it comes last.
      headers = {
        'ratelimit-limit': `${burst}, ${burst};w=1, ${steady};w=60${daily === undefined ? '' : `, ${daily};w=86400`}`,
        'ratelimit-remaining': String(verdict.remaining),
        'ratelimit-reset': String(verdict.resetSeconds),
      }
    }
    for (const { windows } of counters) windows.spend()
    return headers
  }

  private numbers(tier: Tier): Numbers {
    return this.rules?.tiers?.[tier] ?? tiers[tier]
  }

  private counter(name: string, tier: Tier): FixedWindows {
    const known = this.counters.get(name)
    if (known !== undefined) return known
    const { burst, steady, daily } = this.numbers(tier)
    const windows: Window[] = [
      { calls: burst, seconds: 1 },
      { calls: steady, seconds: 60 },
      ...(daily === undefined ? [] : [{ calls: daily, seconds: 86_400 }]),
    ]
    const made = new FixedWindows(windows, this.rules?.scale ?? 1)
    this.counters.set(name, made)
    return made
  }
}
