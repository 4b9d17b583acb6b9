import { condition } from '@temporalio/workflow'

export type Lane = <T>(work: () => Promise<T>) => Promise<T>

/** Lets so many work at once, and none while it is closed; the others wait. */
export function createLanes(most: number, isClosed: () => boolean): Lane {
  let free = most
  const isOpen = () => free > 0 && !isClosed()
  return async (work) => {
    // Several may be let in by one change: whoever comes second looks again.
    while (!isOpen()) await condition(isOpen)
    free--
    try {
      return await work()
    } finally {
      free++
    }
  }
}
