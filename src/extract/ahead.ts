import type { Page } from '../core/types.js'

/**
 * Asks for the next page before the current one is given, so that network and loading overlap. One ahead, never more; and none after a
 * durable page, which must be committed first. A page says when it came, since it may wait.
 */
export async function* ahead(source: AsyncIterable<Page>, now?: () => Date): AsyncIterable<Page> {
  const steps = source[Symbol.asyncIterator]()
  const next = async () => {
    const step = await steps.next()
    return step.done || now === undefined ? step : { ...step, value: { readAt: now(), ...step.value } }
  }
  const start = () => {
    const step = next()
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
