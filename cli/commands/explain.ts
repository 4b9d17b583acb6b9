import { registry } from '../../connectors/registry.js'
import { secretKeys } from '../../src/config/secrets.js'
import { Failure } from '../../src/core/failure.js'
import { explain } from '../explain.js'
import type { Printer } from '../print.js'
import { chosenStreams, loadManifest } from '../project.js'
import type { Common } from '../usage/command.js'

type Options = Common & { stream?: string[] }

/** A sync as it is compiled: each value, and which line of which file it comes from. Asks nobody. */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const { manifest } = await loadManifest(options)
  const sync = args[0]!.replace(/^sync\//, '')
  chosenStreams(manifest, [sync], options.stream)
  const type = manifest.syncs[sync]!.connection.type
  const load = registry[type]
  if (!load) throw new Failure('bug', `No connector ${type}.`)
  const connector = await load()
  const explained = explain(manifest, sync, connector, secretKeys(connector.settings))
  const streams = explained.streams.filter(({ stream }) => options.stream?.includes(stream) ?? true)
  printer.json({ ...explained, streams })
  const head = ['setting', 'value', 'from']
  printer.line(`sync/${sync}`)
  printer.table(
    head,
    explained.settings.map(({ setting, value, origin }) => [setting, value, origin]),
  )
  for (const { stream, settings } of streams) {
    printer.line(`\nsync/${sync}, stream ${stream}`)
    printer.table(
      head,
      settings.map(({ setting, value, origin }) => [setting, value, origin]),
    )
  }
  return 0
}
