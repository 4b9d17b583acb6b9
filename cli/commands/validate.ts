import type { Printer } from '../print.js'
import { loadManifest } from '../project.js'
import type { Common } from '../usage/command.js'

/** The project file, checked without calling anyone: all errors at once, each with its place. */
export async function run({ options, printer }: { options: Common; printer: Printer }): Promise<number> {
  const { manifest, file } = await loadManifest(options)
  const syncs = Object.values(manifest.syncs)
  printer.json({
    project: manifest.project,
    syncs: syncs.map(({ sync, connection, schema, streams }) => ({
      sync,
      connection: connection.name,
      schema,
      streams: Object.keys(streams),
    })),
  })
  printer.line(`${file}: valid.`)
  printer.table(
    ['sync', 'connection', 'schema', 'streams'],
    syncs.map((one) => [one.sync, one.connection.name, one.schema, Object.keys(one.streams).join(', ')]),
  )
  for (const note of manifest.notes) printer.note(note)
  return 0
}
