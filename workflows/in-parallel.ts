/** Does `work` for each item, at most `width` at a time, in their order; the first failure is thrown when all that runs has ended. */
export async function inParallel<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  let failure: { error: unknown } | undefined
  const lane = async () => {
    while (next < items.length && failure === undefined) {
      try {
        await work(items[next++]!)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(Math.max(1, width), items.length) }, lane))
  if (failure !== undefined) throw failure.error
}
