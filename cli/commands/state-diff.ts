import { lineName } from '../../src/core/slices.js'
import { diffStates, type PassDiff, passesAfter, passesNow } from '../../src/state/diff.js'
import type { Printer } from '../print.js'
import { runEntries } from '../state-run.js'
import { type Context, type StateOptions, withSync } from './state.js'

interface DiffOptions extends StateOptions {
  fromRun: string
  toRun?: string
}

/** What changed from the end of one run to the end of another, or to now. */
export async function run(context: Context<DiffOptions>): Promise<number> {
  const { options, printer } = context
  return withSync(context, async ({ warehouse }, ref) => {
    const then = await runEntries(warehouse, ref, options.fromRun)
    const later = options.toRun
      ? passesAfter(await runEntries(warehouse, ref, options.toRun))
      : passesNow(await warehouse.state.read(ref)).filter(({ stream }) => then.some((entry) => entry.stream === stream))
    const diff = diffStates(passesAfter(then), later)
    printer.json({ sync: ref.sync, fromRun: options.fromRun, ...(options.toRun ? { toRun: options.toRun } : {}), diff })
    printDiff(printer, diff, ['then', options.toRun ? 'later' : 'now'])
    return 0
  })
}

/** One line a pass: both watermarks, open slices on both sides, and whether anything differs. */
export function printDiff(printer: Printer, diff: readonly PassDiff[], [before, after]: [string, string]): void {
  printer.table(
    ['stream', 'pass', `complete up to, ${before}`, after, `open slices, ${before}`, after, ''],
    diff.map((one) => [
      one.stream,
      lineName(one),
      one.before.watermark ?? 'nothing',
      one.after.watermark ?? 'nothing',
      one.before.open,
      one.after.open,
      one.before.watermark === one.after.watermark && one.before.open === one.after.open ? 'same' : '',
    ]),
  )
}
