import type { Manifest } from '../../src/config/compile.js'
import type { Finding } from '../../src/core/types.js'
import { ask, askDestinations, syncFor } from '../ask.js'
import { chosenAudience } from '../audiences.js'
import { ofName } from '../deploy/change.js'
import { exit } from '../exit.js'
import { type Printer, printFindings } from '../print.js'
import { openSession } from '../session.js'
import type { Common } from '../usage/command.js'

/** Findings one by one, each with what to do about it: of connections, and of the destinations of audiences. */
export async function run({ options, printer, args }: { options: Common; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosen(manifest, args))
  try {
    const { syncs: named, audiences } = chosen(session.manifest, args)
    // Syncs that share a connection are asked once.
    const syncs = [...new Map(named.map((sync) => [session.manifest.syncs[sync]!.connection.name, sync])).entries()]
    const [connections, destinations] = await Promise.all([
      Promise.all(
        syncs.map(async ([connection, sync]) => {
          const { baseUrl } = session.manifest.syncs[sync]!.connection
          return {
            connection,
            ...(baseUrl ? { calls: baseUrl } : {}),
            findings: (await ask(session, sync, { question: 'check' })).findings,
          }
        }),
      ),
      Promise.all(audiences.map(async (audience) => (await askDestinations(session, audience)).map((one) => ({ audience, ...one })))).then(
        (all) => all.flat(),
      ),
    ])
    printer.json({ connections, destinations })
    for (const { connection, calls, findings } of connections) print(`${connection}${calls ? ` (calls ${calls})` : ''}`, findings, printer)
    for (const { audience, destination, connection, findings } of destinations)
      print(`audience/${audience} → ${destination} (${connection})`, findings, printer)
    return [...connections, ...destinations].every(({ findings }) => findings.every(({ ok }) => ok)) ? exit.done : exit.failed
  } finally {
    await session.close()
  }
}

/** All there is; or the syncs, by their own name or a connection's, and the audiences (`audience/NAME`) that are named. */
function chosen(manifest: Manifest, names: readonly string[]): { syncs: string[]; audiences: string[] } {
  if (names.length === 0) return { syncs: Object.keys(manifest.syncs), audiences: Object.keys(manifest.audiences) }
  const named = names.map((name) => ({ name, ...ofName(name) }))
  return {
    syncs: named.flatMap(({ name, audience }) => (audience === undefined ? [syncFor(manifest, name)] : [])),
    audiences: named.flatMap(({ audience }) => (audience === undefined ? [] : [chosenAudience(manifest, audience).audience])),
  }
}

function print(what: string, findings: readonly Finding[], printer: Printer): void {
  printer.line(what)
  printFindings(findings, printer)
}
