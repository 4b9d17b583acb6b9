/** HubSpot's budgets: ten seconds rolling for each app, a second for searches of the whole account, a day, and associations apart. */
import { Refused, type Reply } from '../kit/http.js'
import { RollingWindow } from '../kit/windows.js'
import { throttled } from './errors.js'

export interface HubspotLimits {
  scale: number
  /** Calls in ten seconds: 190 for Professional and Enterprise, 100 below, 250 with a capacity pack. OAuth apps have 110. */
  tenSecondly?: number
  /** Searches in a second, all tokens of the account together. */
  search?: number
  associations?: number
  daily?: number
  /** Send Retry-After with 429; the vendor does not promise it. */
  retryAfter?: boolean
  /** Give searches' 429 a policyName, as some have been seen to have. */
  searchPolicyName?: boolean
}

export type Bucket = 'general' | 'search' | 'associations' | 'free'

const tenSecondlyMax = 190
const oauthMax = 110
const searchMax = 5
const associationsMax = 150
const dailyMax = 625_000

export class Limits {
  private readonly windows = new Map<string, RollingWindow>()
  private day = ''
  private usedToday = 0

  /** `undefined` counts nothing. */
  constructor(private readonly rules: HubspotLimits | undefined) {}

  get dailyLimit(): number {
    return this.rules?.daily ?? dailyMax
  }

  get dailyUsed(): number {
    return this.usedToday
  }

  /** Spends one call, or refuses. Gives the headers that describe what is left; searches get none. */
  spend({ token, oauth }: { token: string; oauth: boolean }, bucket: Bucket, now: Date): Record<string, string> {
    const rules = this.rules
    if (rules === undefined || bucket === 'free') return {}
    // The day turns at the account's midnight; this account lives in UTC.
    const today = now.toISOString().slice(0, 10)
    if (this.day !== today) {
      this.day = today
      this.usedToday = 0
    }
    const daily = this.dailyLimit
    if (!oauth && this.usedToday >= daily) throw new Refused(this.refuse('DAILY', true, 86_400 - ((now.getTime() / 1000) % 86_400)))
    const general = rules.tenSecondly ?? (oauth ? oauthMax : tenSecondlyMax)
    const verdict =
      bucket === 'search'
        ? this.window('search', rules.search ?? searchMax, 1).take(Date.now())
        : this.window(
            bucket === 'general' ? token : 'associations',
            bucket === 'general' ? general : (rules.associations ?? associationsMax),
            10,
          ).take(Date.now())
    if (!verdict.allowed) {
      const search = bucket === 'search'
      throw new Refused(
        this.refuse(search ? 'SECONDLY' : 'TEN_SECONDLY_ROLLING', !search || rules.searchPolicyName === true, verdict.waitSeconds),
      )
    }
    this.usedToday++
    if (bucket !== 'general') return {}
    return {
      ...(oauth
        ? {}
        : { 'x-hubspot-ratelimit-daily': String(daily), 'x-hubspot-ratelimit-daily-remaining': String(daily - this.usedToday) }),
      'x-hubspot-ratelimit-interval-milliseconds': '10000',
      'x-hubspot-ratelimit-max': String(general),
      'x-hubspot-ratelimit-remaining': String(verdict.remaining),
      'x-hubspot-ratelimit-secondly': String(Math.floor(general / 10)),
      'x-hubspot-ratelimit-secondly-remaining': String(Math.floor(verdict.remaining / 10)),
    }
  }

  private refuse(policy: 'TEN_SECONDLY_ROLLING' | 'SECONDLY' | 'DAILY', named: boolean, waitSeconds: number): Reply {
    return throttled(policy, named, this.rules?.retryAfter ? String(Math.ceil(waitSeconds)) : null)
  }

  private window(name: string, calls: number, seconds: number): RollingWindow {
    const known = this.windows.get(name)
    if (known !== undefined) return known
    const made = new RollingWindow({ calls, seconds }, this.rules?.scale ?? 1)
    this.windows.set(name, made)
    return made
  }
}
