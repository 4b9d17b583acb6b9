import { registry } from '../../connectors/registry.js'
import { Failure } from '../../src/core/failure.js'
import { erase } from '../../src/engine/audience/erase.js'
import { createMarks } from '../../src/identity/marks.js'
import type { ErasureReport } from '../../src/warehouse/contract/erasures.js'
import { isSure, who } from '../confirm.js'
import { exit } from '../exit.js'
import { type NamingOptions, readNamed } from '../named-people.js'
import { ago, number, type Printer } from '../print.js'
import { openSession, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { follow, startManual } from './audience.js'

interface EraseOptions extends Common, NamingOptions {
  dryRun?: boolean
  push?: boolean
  yes?: boolean
  by?: string
  limit: number
}
type Context = { options: EraseOptions; printer: Printer }

/** Erases people from what Weir holds, and has them taken back from every destination. */
export async function run({ options, printer }: Context): Promise<number> {
  const isDryRun = options.dryRun ?? false
  const people = await readNamed(options)
  const question = `${number(people.length)} ${people.length === 1 ? 'person is' : 'people are'} erased, which cannot be taken back. Go on?`
  if (!isDryRun && !options.yes && !(await isSure(question))) return exit.failed
  const session = await openSession(options, printer)
  try {
    const { warehouse, key, manifest } = session
    const mark = createMarks(key)
    const models = Object.fromEntries(Object.values(manifest.audiences).map(({ audience, model }) => [audience, model.name]))
    const by = options.by ?? who() ?? 'unknown'
    const erasures: ErasureReport[] = []
    for (const named of people) erasures.push(await erase({ warehouse, mark, named, models, by, isDryRun }))
    const owing = [...new Set(erasures.flatMap(({ pending }) => pending.map(({ audience }) => audience)))].sort()
    const pushes = options.push && !isDryRun ? await pushAll(session, owing, by, printer) : []
    const left = await leftToTheUser(session, erasures)
    printer.json({ isDryRun, erasures, pushes, left })
    for (const [at, report] of erasures.entries()) printReport(report, people.length > 1 ? `Line ${at + 1}: ` : '', isDryRun, printer)
    for (const { audience, status, failure } of pushes) printer.line(`audience/${audience}: push ${status}${failure ? `: ${failure}` : ''}`)
    const unpushed = owing.filter((audience) => !pushes.some((one) => one.audience === audience && one.failure === undefined))
    if (unpushed.length > 0 && !isDryRun)
      printer.line(`The next push of ${unpushed.join(', ')} takes them back, whatever its gates say: weir audience push ${unpushed[0]}`)
    printer.line(`\nLeft to you:\n${left.map((one) => `  - ${one}`).join('\n')}`)
    return pushes.some(({ failure }) => failure !== undefined) ? exit.failed : exit.done
  } finally {
    await session.close()
  }
}

function printReport({ id, pending, forgotten, deadLetters }: ErasureReport, before: string, isDryRun: boolean, printer: Printer): void {
  const held = pending.map(({ audience, destination }) => `${audience} → ${destination}`)
  const words = [
    `${number(forgotten)} ledger rows`,
    `${number(deadLetters)} dead letters`,
    held.length === 0 ? 'held by no destination' : `held by ${held.join(', ')}`,
  ]
  printer.line(`${before}${isDryRun ? 'would be erased' : `erasure ${id}`}: ${words.join(', ')}.`)
}

interface Pushed {
  audience: string
  status: string
  run?: string
  failure?: string
}

/** Pushes each audience that owes a removal; one that cannot be pushed now does not keep the others. */
async function pushAll(session: Session, audiences: readonly string[], by: string, printer: Printer): Promise<Pushed[]> {
  const pushed: Pushed[] = []
  for (const audience of audiences) {
    try {
      const { run } = await startManual(session, audience, by)
      printer.note(`audience/${audience}: push ${run}`)
      const { status, failure } = await follow(session, audience, run)
      pushed.push({ audience, status, run, ...(failure ? { failure: failure.message } : {}) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      pushed.push({ audience, status: 'not started', failure: error.message })
    }
  }
  return pushed
}

/** What Weir cannot erase, or not by itself. */
async function leftToTheUser({ manifest }: Session, erasures: readonly ErasureReport[]): Promise<string[]> {
  const models = [...new Set(Object.values(manifest.audiences).map(({ model }) => model.name))]
  const schemas = [...new Set(Object.values(manifest.syncs).map(({ schema }) => schema))]
  const left = [
    ...(models.length > 0 ? [`your own tables, those that models ${models.join(', ')} read among them`] : []),
    ...(schemas.length > 0
      ? [`rows that syncs loaded (${schemas.join(', ')}), raw records among them: delete the person at the vendor first, then here`]
      : []),
    'what vendors know of the person beside these lists, backups, and exports that you made',
  ]
  for (const { audience, destination } of erasures.flatMap(({ pending }) => pending)) {
    const wanted = manifest.audiences[audience]?.destinations[destination]
    if (!wanted) left.unshift(`${audience} → ${destination}: the project file has it no more, so no push takes anybody back there`)
    else if (!(await takesBack(wanted.connection.type, wanted.kind)))
      left.unshift(`${audience} → ${destination}: of ${wanted.kind} nothing can be taken back by a push; delete the person there`)
  }
  return [...new Set(left)]
}

async function takesBack(type: string, kind: string): Promise<boolean> {
  const connector = await registry[type]?.()
  return connector?.destinations?.[kind]?.destination.remove !== undefined
}

/** Erasures, and what destinations still owe. */
export async function list({ options, printer }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const rows = await session.warehouse.erasures.list(options.limit)
    printer.json({ erasures: rows })
    if (rows.length === 0) printer.line('Nobody was erased yet.')
    else
      printer.table(
        ['erasure', 'by', 'asked by', 'when', 'taken back', 'still held by'],
        rows.map(({ id, kind, by, at, endedAt, pending }) => [
          id,
          kind,
          by,
          ago(at),
          pending.length === 0 && endedAt ? ago(endedAt) : '',
          pending.map(({ audience, destination }) => `${audience} → ${destination}`).join(', '),
        ]),
      )
    return exit.done
  } finally {
    await session.close()
  }
}
