/** Who may go in: so many at once, the smaller place first, and among equals whoever asked first. */
export interface Queue {
  /** Resolves with the way out; rejects with the signal's reason when that aborts before there is room. */
  enter: (place: number, signal: AbortSignal | undefined) => Promise<() => void>
}

interface Waiter {
  place: number
  letIn: () => void
}

/**
 * Room for `most`. Our own, for its price: a queue that starts jobs by timers costs half a millisecond of CPU and several of
 * waiting a job, which is more than the client does for a page otherwise.
 */
export function createQueue(most: number): Queue {
  let inside = 0
  const waiting: Waiter[] = []

  const leave = () => {
    // Whoever waits takes over the room, so nobody slips in between.
    const next = waiting.shift()
    if (next) next.letIn()
    else inside--
  }

  return {
    async enter(place, signal) {
      signal?.throwIfAborted()
      if (inside < most) {
        inside++
        return leave
      }
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          waiting.splice(waiting.indexOf(waiter), 1)
          reject(signal?.reason)
        }
        const waiter: Waiter = {
          place,
          letIn() {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        waiting.splice(waiting.findLastIndex((one) => one.place <= place) + 1, 0, waiter)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
      return leave
    },
  }
}
