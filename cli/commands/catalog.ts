import { registry } from '../../connectors/registry.js'
import { Failure } from '../../src/core/failure.js'
import { catalog } from '../catalog.js'
import type { Printer } from '../print.js'

/** What can be read of each vendor, without calling any. */
export async function run({ args: [type], printer }: { args: string[]; printer: Printer }): Promise<number> {
  if (type !== undefined && !registry[type])
    throw new Failure('config', `There is no vendor "${type}". There are ${Object.keys(registry).join(', ')}.`)
  const entries = await catalog(type)
  printer.json({ vendors: entries })
  for (const { type: name, title, versions, budgets, streams, custom } of entries) {
    const lives = versions.map((version) => `${version.name}${version.sunset ? ` (until ${version.sunset})` : ''}`).join(', ')
    printer.line(`${title} (type: ${name}), API ${lives}`)
    printer.line(`Budgets: ${budgets.map((one) => `${one.name} ${one.windows}`).join(' · ')}\n`)
    printer.table(
      ['stream', 'default', 'key', 'cursor', 'modes', 'reads'],
      streams.map((one) => [
        one.stream,
        one.isDefault ? 'yes' : 'no',
        one.key.join(', '),
        one.cursor ?? '',
        one.modes.join(', '),
        one.reads,
      ]),
    )
    if (custom.length > 0) printer.line(`\nStreams of your own take ${custom.join(', ')}.`)
    printer.line()
  }
  return 0
}
