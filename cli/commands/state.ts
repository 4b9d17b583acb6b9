import { lineName } from '../../src/core/slices.js'
import type { StateEntry } from '../../src/warehouse/driver.js'
import { isSure, who } from '../confirm.js'
import { ago, type Printer } from '../print.js'
import { chosenStreams, chosenSyncs } from '../project.js'
import { openSession, type Session } from '../session.js'
import { refuseUnderWay } from '../under-way.js'
import type { Common } from '../usage/command.js'

export interface StateOptions extends Common {
  stream?: string
  yes?: boolean
  dryRun?: boolean
  force?: boolean
}
export type Context<O extends StateOptions = StateOptions> = { options: O; printer: Printer; args: string[] }

/** A session for a command about the sync that it names. */
export async function withSync<O extends StateOptions>(
  { options, printer, args }: Context<O>,
  work: (session: Session, ref: { sync: string; stream?: string }) => Promise<number>,
): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenSyncs(manifest, args))
  try {
    return await work(session, { sync: args[0]!, ...(options.stream ? { stream: options.stream } : {}) })
  } finally {
    await session.close()
  }
}

/** `klaviyo/events`, or `every stream of klaviyo`. */
const nameOf = ({ sync, stream }: { sync: string; stream?: string }) => (stream ? `${sync}/${stream}` : `every stream of ${sync}`)

export async function show(context: Context<StateOptions & { history?: boolean; limit: number }>): Promise<number> {
  const { options, printer } = context
  return withSync(context, async ({ warehouse }, ref) => {
    if (options.history) {
      const history = await warehouse.state.history({ ...ref, limit: options.limit })
      printer.json({ history })
      if (history.length === 0) printer.line(`Nothing has moved the state of ${nameOf(ref)} yet.`)
      else printer.table(historyHead, history.map(historyRow))
      return 0
    }
    const state = await warehouse.state.read(ref)
    printer.json(state)
    if (state.watermarks.length + state.checkpoints.length === 0)
      printer.line(`Nothing is known of ${ref.sync} yet: the next run reads everything.`)
    else {
      printer.table(
        ['stream', 'pass', 'complete up to', 'moved'],
        state.watermarks.map((one) => [one.stream, lineName(one), one.watermark, ago(one.updatedAt)]),
      )
      if (state.checkpoints.length > 0) {
        printer.line('\nSlices in work:')
        printer.table(
          ['stream', 'slice', 'state', 'reached', 'moved'],
          state.checkpoints.map((one) => [one.stream, one.slice, one.state, one.position?.reached ?? '', ago(one.updatedAt)]),
        )
      }
    }
    return 0
  })
}

const historyHead = ['at', 'stream', 'pass', 'by', 'run', 'from', 'to', 'settled', 'open', 'rows']
const historyRow = (entry: StateEntry) => [
  entry.at,
  entry.stream,
  lineName(entry),
  entry.who ? `${entry.kind} (${entry.who})` : entry.kind,
  entry.run ?? '',
  entry.before ?? 'nothing',
  entry.after ?? 'nothing',
  entry.settled,
  entry.leftOpen,
  entry.rowsWritten,
]

export async function reset(context: Context): Promise<number> {
  const { options, printer } = context
  return withSync(context, async (session, ref) => {
    chosenStreams(session.manifest, [ref.sync], ref.stream ? [ref.stream] : [])
    const streams = Object.keys(session.manifest.syncs[ref.sync]!.streams)
    const question = `The next run reads ${nameOf(ref)} again from the start. Tables stay as they are. Go on?`
    if (!options.yes && !(await isSure(question))) return 1
    await refuseUnderWay(session, printer, { sync: ref.sync, streams, force: options.force ?? false })
    const by = who()
    const forgotten = await session.warehouse.state.reset({ ...ref, ...(by ? { who: by } : {}) })
    printer.json({ ...ref, forgotten })
    printer.line(`Forgot ${forgotten} watermarks and checkpoints of ${nameOf(ref)}.`)
    return 0
  })
}
