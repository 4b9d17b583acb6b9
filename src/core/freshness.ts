/** How old a table is, and a span of time in words. Pure. */

/**
 * A table is complete up to the start of the newest run that completed it, or up to its watermark, which also runs that ended early move.
 * What was never complete is as old as the first try, or as the order to have it.
 */
export const completeAt = (
  { completedFrom, watermark, firstRunAt }: { completedFrom?: string; watermark?: string; firstRunAt?: string },
  appliedAt?: string,
): string | undefined =>
  [completedFrom, watermark]
    .filter((at) => at !== undefined)
    .sort()
    .at(-1) ??
  firstRunAt ??
  appliedAt

/** 5400000 → `90 min` */
export function spanText(ms: number): string {
  if (ms < 120 * 60_000) return `${Math.round(ms / 60_000)} min`
  return ms < 72 * 3_600_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`
}
