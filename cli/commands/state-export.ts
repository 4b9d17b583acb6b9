import { writeFile } from 'node:fs/promises'
import { documentOf } from '../../src/state/document.js'
import { type Context, type StateOptions, withSync } from './state.js'

/** The state as a document, to standard output or into a file. */
export async function run(context: Context<StateOptions & { file?: string }>): Promise<number> {
  const { options, printer } = context
  return withSync(context, async ({ manifest, warehouse }, ref) => {
    const document = documentOf(await warehouse.state.read(ref), { project: manifest.project, sync: ref.sync, now: new Date() })
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
