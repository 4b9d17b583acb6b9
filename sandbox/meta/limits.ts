/**
 * Scores of an ad account: a read costs one, a write three, over five minutes. All headers tell percents, which may pass 100. Refusals
 * are HTTP 400 with codes of their own, never 429; how long to wait stands in the headers, in minutes.
 */
import { Refused, type Reply } from '../kit/http.js'
import { RollingWindow } from '../kit/windows.js'
import { graphError } from './errors.js'
import type { MetaSwitches } from './switches.js'

export interface MetaLimits {
  scale: number
  /** Score in five minutes; 9,000 with full access, 60 in development, when not given. */
  score?: number
}

const seconds = 300
const scores = { standard_access: 9_000, development_access: 60 }

export type Use = 'ads_management' | 'ads_insights' | 'custom_audience'

export class Limits {
  private readonly windows = new Map<string, RollingWindow>()

  /** `undefined` counts nothing. */
  constructor(
    private readonly rules: MetaLimits | undefined,
    private readonly switches: MetaSwitches,
  ) {}

  /** Spends a call of an account, or refuses it. Gives the headers of its answer. */
  spend(account: string, use: Use, isWrite: boolean): Record<string, string> {
    if (this.rules === undefined) return this.headers(account, use, this.switches.usagePercent, 0)
    const max = this.rules.score ?? scores[this.switches.tier]
    const known = this.windows.get(account)
    const window = known ?? new RollingWindow({ calls: max, seconds }, this.rules.scale)
    if (!known) this.windows.set(account, window)
    let percent = this.switches.usagePercent
    for (let cost = isWrite ? 3 : 1; cost > 0; cost--) {
      const verdict = window.take(Date.now())
      if (!verdict.allowed) throw new Refused(this.refusal(account, use, Math.ceil(verdict.waitSeconds / 60)))
      percent = Math.max(percent, ((max - verdict.remaining) / max) * 100)
    }
    return this.headers(account, use, percent, 0)
  }

  /** The refusal in the words of its use, with the wait in minutes where the headers tell one. */
  refusal(account: string, use: Use, minutes: number): Reply {
    const headers = this.headers(account, use, 100, minutes)
    if (use === 'ads_insights')
      return graphError({
        code: 80_000,
        subcode: 2_446_079,
        message: '(#80000) There have been too many calls from this ad-account. Wait a bit and try again.',
        title: 'Zu viele Aufrufe',
        headers,
      })
    if (use === 'custom_audience')
      return graphError({
        code: 80_003,
        subcode: 2_446_079,
        message: '(#80003) There have been too many calls to this ad-account. Wait a bit and try again.',
        headers,
      })
    return graphError({
      code: 17,
      subcode: 2_446_079,
      message: '(#17) User request limit reached',
      title: 'Ad Account Has Too Many API Calls',
      headers,
    })
  }

  private headers(account: string, use: Use, percent: number, minutes: number): Record<string, string> {
    const tier = { ads_api_access_tier: this.switches.tier }
    const share = Math.round(percent * 100) / 100
    const whole = Math.round(percent)
    const used = { call_count: whole, total_cputime: Math.round(whole / 4), total_time: Math.round(whole / 3) }
    return {
      'x-app-usage': JSON.stringify({
        call_count: Math.round(whole / 2),
        total_time: Math.round(whole / 4),
        total_cputime: Math.round(whole / 4),
      }),
      'x-ad-account-usage': JSON.stringify({ acc_id_util_pct: share, reset_time_duration: minutes * 60, ...tier }),
      'x-business-use-case-usage': JSON.stringify({
        [account]: [
          { type: use, ...used, estimated_time_to_regain_access: minutes, ...tier },
          {
            type: use === 'ads_insights' ? 'ads_management' : 'ads_insights',
            call_count: 1,
            total_cputime: 0,
            total_time: 0,
            estimated_time_to_regain_access: 0,
            ...tier,
          },
        ],
      }),
      ...(use === 'ads_insights'
        ? { 'x-fb-ads-insights-throttle': JSON.stringify({ app_id_util_pct: share / 2, acc_id_util_pct: share, ...tier }) }
        : {}),
    }
  }
}
