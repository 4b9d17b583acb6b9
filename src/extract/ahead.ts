/** Asks for the next thing before the current one is given, so that network and loading overlap. One ahead, never more. */
export async function* ahead<T>(source: AsyncIterable<T>): AsyncIterable<T> {
  const steps = source[Symbol.asyncIterator]()
  const start = () => {
    const step = steps.next()
    // Its failure is met when it is due.
    step.catch(() => undefined)
    return step
  }
  let isDone = false
  try {
    for (let pending = start(); ; ) {
      const step = await pending
      if (step.done) {
        isDone = true
        return
      }
      pending = start()
      yield step.value
    }
  } finally {
    // Whoever stopped early does not wait for what is under way.
    if (!isDone) void Promise.resolve(steps.return?.()).catch(() => undefined)
  }
}
