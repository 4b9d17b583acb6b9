/**
 * Counting calls against what a vendor allows. Time is the wall's, not the sandbox clock's: clients wait in real seconds.
 * `scale` makes vendor time run faster (10: a window of a minute is over in six seconds).
 */
export interface Window {
  calls: number
  seconds: number
}

export type Verdict = { allowed: true; remaining: number; resetSeconds: number } | { allowed: false; waitSeconds: number }

/** Windows that begin anew at fixed instants. A call before the told wait is over is refused again, whatever the windows say. */
export class FixedWindows {
  private readonly counts: { number: number; used: number }[]
  private closedUntilMs = 0

  constructor(
    private readonly windows: readonly Window[],
    private readonly scale: number,
  ) {
    this.counts = windows.map(() => ({ number: -1, used: 0 }))
  }

  /** Looks without spending, so that several counters can agree before any is charged. */
  look(nowMs: number): Verdict {
    if (nowMs < this.closedUntilMs) return { allowed: false, waitSeconds: Math.ceil((this.closedUntilMs - nowMs) / 1000) }
    let waitSeconds = 0
    for (const [i, { calls, seconds }] of this.windows.entries()) {
      const { used, endsInSeconds } = this.at(i, seconds, nowMs)
      if (used >= calls) waitSeconds = Math.max(waitSeconds, Math.ceil(endsInSeconds))
    }
    if (waitSeconds > 0) {
      this.closedUntilMs = nowMs + waitSeconds * 1000
      return { allowed: false, waitSeconds }
    }
    const steady = this.windows[1] ?? (this.windows[0] as Window)
    const { used, endsInSeconds } = this.at(this.windows[1] === undefined ? 0 : 1, steady.seconds, nowMs)
    return { allowed: true, remaining: Math.max(0, steady.calls - used - 1), resetSeconds: Math.ceil(endsInSeconds) }
  }

  spend(): void {
    for (const count of this.counts) count.used++
  }

  private at(i: number, seconds: number, nowMs: number): { used: number; endsInSeconds: number } {
    const lengthMs = (seconds * 1000) / this.scale
    const number = Math.floor(nowMs / lengthMs)
    const count = this.counts[i] as { number: number; used: number }
    if (count.number !== number) {
      count.number = number
      count.used = 0
    }
    return { used: count.used, endsInSeconds: ((number + 1) * lengthMs - nowMs) / 1000 }
  }
}

/** A window that slides: only calls of the last `seconds` count. Refused calls are not charged. */
export class RollingWindow {
  private calls: number[] = []

  constructor(
    private readonly window: Window,
    private readonly scale: number,
  ) {}

  take(nowMs: number): Verdict {
    const lengthMs = (this.window.seconds * 1000) / this.scale
    let gone = 0
    while (gone < this.calls.length && (this.calls[gone] as number) <= nowMs - lengthMs) gone++
    if (gone > 0) this.calls = this.calls.slice(gone)
    if (this.calls.length >= this.window.calls) {
      return { allowed: false, waitSeconds: ((this.calls[0] as number) + lengthMs - nowMs) / 1000 }
    }
    this.calls.push(nowMs)
    return { allowed: true, remaining: this.window.calls - this.calls.length, resetSeconds: lengthMs / 1000 }
  }
}
