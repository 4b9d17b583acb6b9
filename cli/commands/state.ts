import { Failure } from '../../src/core/failure.js'
import { ago, type Printer } from '../print.js'
import { chosenSyncs } from '../project.js'
import { openSession } from '../session.js'
import { isSure } from '../sure.js'
import type { Common } from '../weir.js'

interface StateOptions extends Common {
  stream?: string
  yes?: boolean
}
type Context = { options: StateOptions; printer: Printer; args: string[] }

const refOf = (sync: string, { stream }: StateOptions) => ({ sync, ...(stream ? { stream } : {}) })

export async function show({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenSyncs(manifest, args))
  try {
    const [sync] = chosenSyncs(session.manifest, args)
    const state = await session.warehouse.streams.state(refOf(sync!, options))
    printer.json(state)
    if (state.watermarks.length + state.checkpoints.length === 0)
      printer.line(`Nothing is known of ${sync} yet: the next run reads everything.`)
    else {
      printer.table(
        ['stream', 'pass', 'complete up to', 'moved'],
        state.watermarks.map((one) => [one.stream, one.pass, one.watermark, ago(one.updatedAt)]),
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
  } finally {
    await session.close()
  }
}

export async function reset({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenSyncs(manifest, args))
  try {
    const [sync] = chosenSyncs(session.manifest, args)
    const what = options.stream ? `${sync}/${options.stream}` : `every stream of ${sync}`
    if (options.stream && !session.manifest.syncs[sync!]!.streams[options.stream]) {
      throw new Failure(
        'config',
        `Sync ${sync} has no stream "${options.stream}". It reads ${Object.keys(session.manifest.syncs[sync!]!.streams).join(', ')}.`,
      )
    }
    if (!options.yes && !(await isSure(`The next run reads ${what} again from the start. Tables stay as they are. Go on?`))) return 1
    const forgotten = await session.warehouse.streams.reset(refOf(sync!, options))
    printer.json({ sync, stream: options.stream, forgotten })
    printer.line(`Forgot ${forgotten} watermarks and checkpoints of ${what}.`)
    return 0
  } finally {
    await session.close()
  }
}
