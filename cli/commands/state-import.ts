import { readFile } from 'node:fs/promises'
import { registry } from '../../connectors/registry.js'
import type { Definition } from '../../src/core/definition.js'
import { Failure } from '../../src/core/failure.js'
import { startOf } from '../../src/engine/plan-slices.js'
import { withCustom } from '../../src/extract/custom.js'
import { diffStates, passesIn, passesNow } from '../../src/state/diff.js'
import { readDocument, type StateDocument, statesOf } from '../../src/state/document.js'
import { type KnownStreams, problemsOf, readingOf } from '../../src/state/judge.js'
import type { StreamState } from '../../src/warehouse/driver.js'
import { isSure, who } from '../confirm.js'
import { refuseUnderWay } from '../under-way.js'
import { type Context, type StateOptions, withSync } from './state.js'
import { printDiff } from './state-diff.js'

interface ImportOptions extends StateOptions {
  file: string
  as?: string
}

/** Puts the state of a file in place of what stands, whole or not at all. */
export async function run(context: Context<ImportOptions>): Promise<number> {
  const { options, printer, args } = context
  const [named] = args
  const document = await open(options, named!)
  return withSync({ ...context, args: [options.as ?? named!] }, async (session, ref) => {
    const { warehouse, manifest } = session
    const definition = manifest.syncs[ref.sync]!
    const now = new Date()
    const states = statesOf(document, options.stream)
    refuse(options.file, problemsOf(states, await knownStreams(definition, now), now))
    if (document.project !== manifest.project)
      printer.note(`${options.file} was written in project ${document.project}; this is ${manifest.project}.`)
    const stands = passesNow(await warehouse.state.read(ref)).filter(({ stream }) => has(states, stream))
    const diff = diffStates(stands, passesIn(states))
    printDiff(printer, diff, ['now', 'file'])
    const streams = states.map(({ stream }) => stream)
    if (options.dryRun) {
      printer.json({ sync: ref.sync, streams, diff, changed: false })
      return 0
    }
    if (!options.yes && !(await isSure(`Replace the state of ${streams.join(', ')} of ${ref.sync}? Tables stay as they are.`))) return 1
    await refuseUnderWay(session, printer, { sync: ref.sync, streams: Object.keys(definition.streams), force: options.force ?? false })
    const by = who()
    await warehouse.state.replace({ sync: ref.sync, kind: 'import', ...(by ? { who: by } : {}) }, states)
    printer.json({ sync: ref.sync, streams, diff, changed: true })
    printer.line(`Replaced the state of ${streams.join(', ')} of ${ref.sync}. The next run goes on from there.`)
    return 0
  })
}

const has = (states: readonly StreamState[], name: string) => states.some(({ stream }) => stream === name)

function refuse(file: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new Failure('config', `${file} cannot be imported:\n${problems.map((one) => `  ${one}`).join('\n')}`)
}

/** The file, judged by its form and its names; what needs the project comes after. */
async function open({ file, as, stream }: ImportOptions, named: string): Promise<StateDocument> {
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure('config', `${file} cannot be read: ${error.code ?? error.message}.`, {}, { cause: error })
  })
  const read = readDocument(content)
  if ('problems' in read) {
    refuse(file, read.problems)
    throw new Failure('bug', `${file} was refused without a reason.`)
  }
  const { document } = read
  if (document.sync !== named)
    throw new Failure(
      'config',
      `${file} holds the state of sync ${document.sync}, not of ${named}. To put it into ${as ?? named}: weir state import ${document.sync} --file ${file} --as ${as ?? named}`,
    )
  const streams = Object.keys(document.streams)
  if (streams.length === 0) throw new Failure('config', `${file} holds no stream. To forget a state: weir state reset ${as ?? named}`)
  if (stream !== undefined && !streams.includes(stream))
    throw new Failure('config', `${file} holds no stream "${stream}". It holds ${streams.join(', ')}.`)
  return document
}

/** What the connector says of the streams that a sync reads. */
async function knownStreams({ connection, streams }: Definition, now: Date): Promise<KnownStreams> {
  const source = withCustom((await registry[connection.type]!()).source, streams)
  return new Map(
    Object.entries(streams).map(([name, settings]) => [
      name,
      {
        passes: new Map(source.streams[name]!.passes.map((pass) => [pass.name, readingOf(pass.slicing)])),
        start: startOf(settings.start, now),
      },
    ]),
  )
}
