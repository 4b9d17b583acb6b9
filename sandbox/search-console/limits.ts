/** What one user may ask for. What a query costs beside (its load) is not published, hence not played but for a switch. */
import { FixedWindows } from '../kit/windows.js'
import { quotaExceeded } from './errors.js'

export interface SearchConsoleLimits {
  scale: number
  /** Queries of a user in a minute; 1,200 when not given. */
  perMinute?: number
}

export class Limits {
  private readonly search: FixedWindows | undefined
  private readonly other: FixedWindows | undefined

  /** `undefined` counts nothing. */
  constructor(rules: SearchConsoleLimits | undefined) {
    if (rules === undefined) return
    const { scale, perMinute = 1_200 } = rules
    this.search = new FixedWindows([{ calls: perMinute, seconds: 60 }], scale)
    const others = [
      { calls: 20, seconds: 1 },
      { calls: 200, seconds: 60 },
    ]
    this.other = new FixedWindows(others, scale)
  }

  /** @throws Refused when there is nothing left */
  spend(kind: 'search' | 'other'): void {
    const windows = this[kind]
    if (windows && !windows.look(Date.now()).allowed) throw quotaExceeded()
    windows?.spend()
  }
}
