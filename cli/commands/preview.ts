import { ask, syncFor } from '../ask.js'
import type { Printer } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

/** The first records of a stream as they would be loaded. They are a person's data: shown here, written nowhere. */
export async function run({
  options,
  printer,
  args,
}: {
  options: Common & { stream: string; limit: number }
  printer: Printer
  args: string[]
}): Promise<number> {
  const session = await openSession(options, printer, (manifest) => syncFor(manifest, args[0]!))
  try {
    const answer = await ask(session, syncFor(session.manifest, args[0]!), {
      question: 'preview',
      stream: options.stream,
      limit: options.limit,
    })
    printer.json(answer)
    for (const [i, record] of answer.records.entries()) {
      printer.line(`— ${i + 1}`)
      for (const [field, value] of Object.entries(record)) printer.line(`  ${field}: ${shown(value)}`)
    }
    printer.line(`\n${answer.records.length} records of ${options.stream}, ${answer.requests} requests, nothing written.`)
    return 0
  } finally {
    await session.close()
  }
}

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
