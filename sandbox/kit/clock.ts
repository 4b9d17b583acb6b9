/** The sandbox's own time. It runs with the wall clock until a test takes hold of it, and it never turns back. */
export interface SandboxClock {
  now(): Date
  /** Stops the clock at an instant. An instant that has passed is refused: the company cannot forget. */
  set(at: Date): void
  /** Moves the clock forward; a running clock goes on running, that much ahead. */
  advance(ms: number): void
}

export function createClock(now?: Date | (() => Date)): SandboxClock {
  let aheadMs = 0
  let read = now === undefined ? () => Date.now() : now instanceof Date ? fixed(now) : () => now().getTime()
  const current = () => read() + aheadMs
  return {
    now: () => new Date(current()),
    set(at) {
      if (Number.isNaN(at.getTime())) throw new RangeError('The clock needs a valid date.')
      if (at.getTime() < current()) throw new RangeError(`The clock stands at ${new Date(current()).toISOString()} and cannot turn back.`)
      read = fixed(at)
      aheadMs = 0
    },
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError('The clock cannot turn back.')
      aheadMs += ms
    },
  }
}

function fixed(at: Date): () => number {
  const ms = at.getTime()
  return () => ms
}
