import { ask, syncFor } from '../ask.js'
import { exit } from '../exit.js'
import { type Printer, printFindings } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../weir.js'

/** Findings one by one, each with what to do about it. */
export async function run({ options, printer, args }: { options: Common; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer, (manifest) => args.map((name) => syncFor(manifest, name)))
  try {
    const named = args.length > 0 ? args.map((name) => syncFor(session.manifest, name)) : Object.keys(session.manifest.syncs)
    // Syncs that share a connection are asked once.
    const syncs = [...new Map(named.map((sync) => [session.manifest.syncs[sync]!.connection.name, sync])).entries()]
    const answers = await Promise.all(
      syncs.map(async ([connection, sync]) => {
        const { baseUrl } = session.manifest.syncs[sync]!.connection
        return { connection, ...(baseUrl ? { calls: baseUrl } : {}), findings: (await ask(session, sync, { question: 'check' })).findings }
      }),
    )
    printer.json({ connections: answers })
    for (const { connection, calls, findings } of answers) {
      printer.line(`${connection}${calls ? ` (calls ${calls})` : ''}`)
      printFindings(findings, printer)
    }
    return answers.every(({ findings }) => findings.every(({ ok }) => ok)) ? exit.done : exit.failed
  } finally {
    await session.close()
  }
}
