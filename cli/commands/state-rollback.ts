import { lineName } from '../../src/core/slices.js'
import { diffStates, type PassDiff, passesIn, passesNow, stateAfter } from '../../src/state/diff.js'
import { isSure, who } from '../confirm.js'
import { runEntries } from '../state-run.js'
import { refuseUnderWay } from '../under-way.js'
import { type Context, type StateOptions, withSync } from './state.js'

/** Watermarks as a run left them, so that the next run reads again what came after it. Rows stay. */
export async function run(context: Context<StateOptions & { toRun: string }>): Promise<number> {
  const { options, printer } = context
  return withSync(context, async (session, ref) => {
    const { warehouse, manifest } = session
    const entries = await runEntries(warehouse, ref, options.toRun)
    const stands = await warehouse.state.read(ref)
    const states = stateAfter(entries, stands.checkpoints)
    const streams = states.map(({ stream }) => stream)
    const diff = diffStates(
      passesNow(stands).filter(({ stream }) => streams.includes(stream)),
      passesIn(states),
    )
    const again = diff.map(({ before, after, ...line }) => ({ ...line, ...readAgain({ before, after }) }))
    printer.table(
      ['stream', 'pass', 'read again from', 'to', 'open slices forgotten'],
      again.map((one) => [one.stream, lineName(one), one.from, one.to, one.slicesForgotten]),
    )
    for (const line of words) printer.line(line)
    const answer = { sync: ref.sync, toRun: options.toRun, streams, diff, again }
    if (options.dryRun) {
      printer.json({ ...answer, changed: false })
      return 0
    }
    const question = `Go back to the state after run ${options.toRun} in ${streams.join(', ')} of ${ref.sync}?`
    if (!options.yes && !(await isSure(question))) return 1
    const read = Object.keys(manifest.syncs[ref.sync]!.streams)
    await refuseUnderWay(session, printer, { sync: ref.sync, streams: [...read, ...streams], force: options.force ?? false })
    const by = who()
    await warehouse.state.replace({ sync: ref.sync, kind: 'rollback', run: options.toRun, ...(by ? { who: by } : {}) }, states)
    printer.json({ ...answer, changed: true })
    printer.line(`The state of ${streams.join(', ')} of ${ref.sync} is as run ${options.toRun} left it. Read again: weir sync ${ref.sync}`)
    return 0
  })
}

const words = [
  '',
  'The look-back of a stream comes on top, and a stream that is read whole in every run is read whole. Rows are not taken back.',
  'In the modes merge, history, replace and replace_slice reading again changes nothing that is right; append keeps one copy of the same version.',
]

function readAgain({ before, after }: Pick<PassDiff, 'before' | 'after'>): { from: string; to: string; slicesForgotten: number } {
  const slicesForgotten = Math.max(0, before.open - after.open)
  if (after.watermark === undefined) return { from: 'the start', to: 'now', slicesForgotten }
  const isBack = before.watermark !== undefined && after.watermark < before.watermark
  return { from: isBack ? after.watermark : 'nothing', to: isBack ? before.watermark! : '', slicesForgotten }
}
