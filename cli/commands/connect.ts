import type { AudienceDefinition } from '../../src/core/audience.js'
import type { ConnectionDefinition, Definition } from '../../src/core/definition.js'
import type { ConnectAnswer } from '../../src/engine/connect.js'
import { createBox } from '../../src/keys/box.js'
import { ask, syncFor } from '../ask.js'
import { consented, type Way } from '../connect/consented.js'
import { exit } from '../exit.js'
import type { Printer } from '../print.js'
import { openSession, putDefinition } from '../session.js'
import type { Common } from '../usage/command.js'

type Options = Common & Way & { print?: boolean }

/**
 * Gets a connection's credential by a person's consent. The vendor is called by a worker alone; this command shows the person the way
 * there and takes what the browser comes back with.
 */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer, (manifest) => syncFor(manifest, args[0]!))
  try {
    const sync = syncFor(session.manifest, args[0]!)
    const { connection } = session.manifest.syncs[sync]!
    const isOurs = (one: { connection: ConnectionDefinition }) => one.connection.name === connection.name
    const putAll = (all: readonly (Definition | AudienceDefinition)[]) => Promise.all(all.map((one) => putDefinition(session, one)))
    const { syncs, audiences: allAudiences } = session.manifest
    const definitions = await putAll(Object.values(syncs).filter(isOurs))
    const audiences = await putAll(Object.values(allAudiences).filter(({ destinations }) => Object.values(destinations).some(isOurs)))
    const box = options.print ? createBox() : undefined
    const asked = { definitions, audiences, ...(box ? { recipient: box.address } : {}) }
    const consent = await ask(session, sync, { question: 'consent', ...asked })
    const answer = await consented(consent, options, printer, connection.name, async (given) => {
      const handover = await session.warehouse.handovers.put(given)
      try {
        return await ask(session, sync, { question: 'connect', handover, ...asked })
      } finally {
        // Where no worker came to take it.
        await session.warehouse.handovers.take(handover)
      }
    })
    report(answer, connection, box && lineOf(connection, consent.keeps, box.open(answer.sealed ?? '')), printer)
    if (session.ownsStack && !options.print) printer.note('It is kept in the warehouse of this project, under its key (.weir/key).')
    return exit.done
  } finally {
    await session.close()
  }
}

function report({ scopes, endsAt }: ConnectAnswer, { name }: ConnectionDefinition, line: string | undefined, printer: Printer): void {
  printer.json({
    connection: name,
    kept: line === undefined,
    ...(scopes ? { scopes } : {}),
    ...(endsAt ? { endsAt } : {}),
    ...(line ? { line } : {}),
  })
  if (line === undefined) printer.line(`Connection ${name} is connected; its credential is kept in the warehouse, sealed with WEIR_KEY.`)
  else {
    printer.line(line)
    printer.note('Put this line into .env, and a reference to it into the project file. It was kept nowhere.')
  }
  if (!scopes) printer.note('The vendor did not say what it granted: `weir check` shows what can be read.')
  if (endsAt) printer.note(`It ends on ${endsAt}: run \`weir connect ${name}\` again before.`)
  if (line === undefined) printer.line(`Next: weir check ${name}`)
}

/** The line of `.env` that the project file refers to, or would. */
function lineOf({ name, settings }: ConnectionDefinition, key: string, credential: string): string {
  const variable = /^\$\{(\w+)\}$/.exec(String(settings[key]))?.[1] ?? `${name}_${key}`.toUpperCase().replace(/\W/g, '_')
  return `${variable}=${/^[\w./+=|-]+$/.test(credential) ? credential : `'${credential}'`}`
}
