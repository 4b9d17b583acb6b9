import { writeFile } from 'node:fs/promises'
import { documentOf, stillRead } from '../../src/state/document.js'
import { knownStreams } from '../known-streams.js'
import { chosenStreams } from '../project.js'
import { type Context, type StateOptions, withSync } from './state.js'

/** The state as a document, to standard output or into a file: of what the sync reads, so that an import takes it. */
export async function run(context: Context<StateOptions & { file?: string }>): Promise<number> {
  const { options, printer } = context
  return withSync(context, async ({ manifest, warehouse }, ref) => {
    chosenStreams(manifest, [ref.sync], ref.stream ? [ref.stream] : [])
    const now = new Date()
    const { found, left } = stillRead(await warehouse.state.read(ref), await knownStreams(manifest.syncs[ref.sync]!, now))
    const document = documentOf(found, { project: manifest.project, sync: ref.sync, now })
    if (left.length > 0)
      printer.note(`Left out, as sync ${ref.sync} no longer reads it: ${left.join('; ')}. It stands in the warehouse still.`)
    if (!options.file) {
      printer.json(document)
      printer.line(JSON.stringify(document, null, 2))
      return 0
    }
    await writeFile(options.file, `${JSON.stringify(document, null, 2)}\n`)
    const streams = Object.keys(document.streams)
    printer.json({ file: options.file, streams })
    printer.line(`Wrote the state of ${streams.length} streams of ${ref.sync} to ${options.file}.`)
    return 0
  })
}
