import type { Page } from '../core/types.js'

/**
 * Asks for the next page before the current one is given, so that network and loading overlap. One ahead, never more; and none after a
 * durable page, which must be committed first.
 */
export async function* ahead(source: AsyncIterable<Page>): AsyncIterable<Page> {
  const steps = source[Symbol.asyncIterator]()
  const start = () => {
    const step = steps.next()
    // Its failure is met when it is due.
    step.catch(() => undefined)
    return step
  }
  let isDone = false
  try {
    for (let pending: ReturnType<typeof start> | undefined; ; ) {
      const step = await (pending ?? start())
      if (step.done) {
        isDone = true
        return
      }
      pending = step.value.isDurable ? undefined : start()
      yield step.value
    }
  } finally {
    // Whoever stopped early does not wait for what is under way.
    if (!isDone) void Promise.resolve(steps.return?.()).catch(() => undefined)
  }
}
