import { ask, syncFor } from '../ask.js'
import { exit } from '../exit.js'
import type { Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

export async function run({
  options,
  printer,
  args,
}: {
  options: Common & { stream?: string }
  printer: Printer
  args: string[]
}): Promise<number> {
  const session = await openSession(options, printer, (manifest) => syncFor(manifest, args[0]!))
  try {
    const { streams } = await ask(session, syncFor(session.manifest, args[0]!), {
      question: 'discover',
      ...(options.stream ? { stream: options.stream } : {}),
    })
    printer.json({ streams })
    if (options.stream)
      printer.table(
        ['field', 'type', 'description'],
        Object.entries(streams[0]?.fields ?? {}).map(([field, { type, description }]) => [field, type, description ?? '']),
      )
    else
      printer.table(
        ['stream', 'key', 'cursor', 'mode', 'fields'],
        streams.map((one) => [one.stream, one.key.join(', '), one.cursor ?? '', one.mode, Object.keys(one.fields).length]),
      )
    for (const { stream, failure } of streams) if (failure) printer.line(`${stream}: ${failure}`)
    return streams.some(({ failure }) => failure) ? exit.failed : exit.done
  } finally {
    await session.close()
  }
}
