import { setTimeout as sleep } from 'node:timers/promises'
import { isGrpcServiceError, ServiceError } from '@temporalio/client'
import { asFailure } from '../src/core/failure.js'

export interface Patience {
  /** Told once each time that the waiting begins. */
  note: (text: string) => void
  everyMs?: number
  /** Given up after so long without an answer. */
  forMs?: number
}

/** gRPC's UNKNOWN, DEADLINE_EXCEEDED, INTERNAL and UNAVAILABLE: what a server that dies or comes back is heard to say. */
const mayPass: ReadonlySet<number> = new Set([2, 4, 13, 14])

/** Does the failure say that a server is away, rather than that it refused? */
export function isAway(error: unknown): boolean {
  if (error instanceof ServiceError) return isGrpcServiceError(error.cause) && mayPass.has(error.cause.code)
  return asFailure(error).reason === 'transient'
}

/** Asks again while Temporal or the warehouse is away: a run goes on without whoever watches it. `work` must be a question. */
export async function patiently<T>(work: () => Promise<T>, { note, everyMs = 1_000, forMs = 5 * 60_000 }: Patience): Promise<T> {
  let awaySince: number | undefined
  for (;;) {
    const askedAt = performance.now()
    try {
      return await work()
    } catch (error) {
      const now = performance.now()
      if (!isAway(error)) throw error
      // A question that waited long had an answer under way: the server was there until now.
      const wasThere = now - askedAt > forMs / 5
      if (awaySince !== undefined && !wasThere && now - awaySince > forMs) throw error
      if (awaySince === undefined || wasThere) {
        awaySince = now
        note(`${(error as Error).message} The run goes on; waiting for an answer.`)
      }
      await sleep(everyMs)
    }
  }
}
