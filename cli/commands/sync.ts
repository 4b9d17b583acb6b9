import type { WorkflowHandle } from '@temporalio/client'
import { definitionHash, hashOf } from '../../src/config/hash.js'
import type { Acceptance, RunInput, RunStatus } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import { Failure, type Reason, reasons } from '../../src/core/failure.js'
import { runStart } from '../../src/core/run-start.js'
import { modeSwitches } from '../../src/engine/mode-switch.js'
import type { QualityResult, StreamRunRow } from '../../src/warehouse/driver.js'
import { isSure } from '../confirm.js'
import { exitOf } from '../exit.js'
import { olderRows } from '../older-rows.js'
import { patiently } from '../patience.js'
import { number, type Printer, streamHead, streamRow, tableText } from '../print.js'
import { chosenStreams, chosenSyncs } from '../project.js'
import { printChecks } from '../quality.js'
import { openSession, putDefinition, queue, refuseDetach, type Session } from '../session.js'
import { workflowUrl } from '../ui-links.js'
import type { Common } from '../usage/command.js'
import { watched } from '../watch.js'
import { workflowFailure } from '../workflow-failure.js'
import { pendingText } from './changes.js'

export interface SyncOptions {
  stream?: string[]
  full?: boolean
  detach?: boolean
  accept?: Acceptance[]
}

/** A run that was started here. */
export interface Started {
  sync: string
  run: string
  handle: WorkflowHandle
}

/** How a run ended, with its streams. */
export interface Ended {
  sync: string
  run: string
  status: RunStatus
  streams: StreamRunRow[]
  quality: QualityResult[]
  warnings: readonly string[]
  failure?: string
}

export async function run({
  options,
  printer,
  args,
}: {
  options: SyncOptions & Common
  printer: Printer
  args: string[]
}): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenStreams(manifest, args, options.stream))
  try {
    const names = chosenSyncs(session.manifest, args)
    refuseDetach(options, session)
    await sayNotApplied(session, names, printer)
    for (const name of names) await agreeToSwitches(session, name, options, printer)
    if (!options.full)
      for (const name of names)
        for (const line of await olderRows(session.warehouse, session.manifest.syncs[name]!, options.stream)) printer.note(line)
    const started: Started[] = []
    for (const name of names) started.push(await startSync(session, name, options))
    for (const { sync, run } of started)
      printer.note(`sync/${sync}: run ${run}${session.uiUrl ? `  ${workflowUrl(session, { workflow: `sync/${sync}`, run })}` : ''}`)
    if (options.detach) {
      printer.json({ runs: started.map(({ sync, run }) => ({ sync, run })) })
      return 0
    }
    const ended = await follow(session, started, printer)
    report(ended, printer)
    const pending = await pendingText(session, names)
    if (pending !== undefined) printer.line(`\n${pending}`)
    return exitOf(ended.map(({ status }) => status))
  } finally {
    await session.close()
  }
}

/** A run by hand goes by the files as they stand; schedules go by what was applied. */
async function sayNotApplied({ manifest, warehouse }: Session, names: readonly string[], printer: Printer): Promise<void> {
  const deployments = await warehouse.deployments.list()
  const differing = names.filter((name) => {
    const applied = deployments.find(({ sync }) => sync === name)
    const wanted = { hash: definitionHash(manifest.syncs[name]!), schedule: manifest.schedules[name], after: manifest.after[name] ?? [] }
    const isStarted = wanted.schedule !== undefined || wanted.after.length > 0
    if (!applied) return isStarted
    const { definition: hash, schedule, after } = applied
    return hashOf({ hash, schedule, after }) !== hashOf(wanted)
  })
  if (differing.length > 0)
    printer.note(`What is applied differs from the files (${differing.join(', ')}): weir plan shows how. This run goes by the files.`)
}

/** A switch of mode changes rows that stand: at a terminal the person is asked, elsewhere it wants `--accept mode`. */
async function agreeToSwitches(session: Session, name: string, options: SyncOptions, printer: Printer): Promise<void> {
  const chosen = options.stream
  const switches = (await modeSwitches(session.warehouse, session.manifest.syncs[name]!)).filter(
    ({ stream }) => chosen === undefined || chosen.includes(stream),
  )
  if (switches.length === 0) return
  const about = [
    `The mode of ${switches.length === 1 ? 'a stream' : 'some streams'} of ${name} differs from that of the table:`,
    ...switches.map(({ stream, from, to, consequence }) => `  ${stream}: ${from} → ${to}: ${consequence}.`),
  ].join('\n')
  if (options.accept?.includes('mode')) return printer.note(about)
  if (!(await isSure('Switch?', '--accept mode', about))) throw new Failure('config', 'Nothing was started.', { sync: name })
  options.accept = [...(options.accept ?? []), 'mode']
}

/** Starts a run of a sync, by the files as they stand unless another definition is given; a run that is under way is not joined. */
export async function startSync(
  session: Session,
  name: string,
  { stream, full, accept }: Pick<SyncOptions, 'stream' | 'full' | 'accept'> = {},
  definition: Definition = session.manifest.syncs[name]!,
): Promise<Started> {
  const hash = await putDefinition(session, definition)
  const input: RunInput = {
    sync: name,
    definition: hash,
    kind: 'manual',
    ...(stream ? { streams: stream } : {}),
    ...(full ? { full } : {}),
    ...(accept ? { accept } : {}),
  }
  try {
    const handle = await session.temporal.workflow.start('syncConnection', { taskQueue: queue(), ...runStart(definition, input) })
    return { sync: name, run: handle.firstExecutionRunId, handle }
  } catch (error) {
    throw workflowFailure(error, { sync: name }, `A run of sync ${name} is under way. Watch it with \`weir status\`, or wait for its end.`)
  }
}

/** Waits for the end of the runs, showing on a terminal how far each stream has come; elsewhere a plain line now and then. */
export async function follow(session: Session, started: readonly Started[], printer: Printer): Promise<Ended[]> {
  const cancel = () => {
    printer.note('Cancelling; what is loaded stays. Press Ctrl-C again to stop waiting.')
    process.once('SIGINT', () => process.exit(1))
    for (const { handle } of started) handle.cancel().catch((error: unknown) => printer.note(`Could not cancel: ${error}`))
  }
  process.once('SIGINT', cancel)
  try {
    const ends = Promise.all(started.map((one) => endOf(session, one, printer)))
    return await watched(ends, { printer, plainEveryMs: 5_000, look: () => lookAt(session, started) })
  } finally {
    process.off('SIGINT', cancel)
  }
}

async function lookAt({ warehouse }: Session, started: readonly Started[]) {
  const rows = (await Promise.all(started.map(({ run }) => warehouse.reports.streams(run)))).flat()
  const read = number(rows.reduce((sum, row) => sum + row.read, 0))
  return {
    live: tableText(
      ['sync', ...streamHead],
      rows.map((row) => [row.sync, ...streamRow(row)]),
    ),
    plain: `${read} records read, ${rows.filter((row) => row.finishedAt).length} of ${rows.length} streams done`,
  }
}

async function endOf({ warehouse }: Session, { sync, run, handle }: Started, { note }: Printer): Promise<Ended> {
  const failure = await patiently(() => failureOf(handle), { note })
  return patiently(
    async () => {
      const [row] = await warehouse.reports.runs({ run, limit: 1 })
      return {
        sync,
        run,
        status: row?.status ?? 'failed',
        streams: await warehouse.runs.streams(run),
        quality: await warehouse.quality.results(run),
        warnings: row?.warnings ?? [],
        ...(failure ? { failure: row?.failure?.message ?? failure } : {}),
      }
    },
    { note },
  )
}

/** Waits for the run's end; what it failed of, if it did. */
async function failureOf(handle: WorkflowHandle): Promise<string | undefined> {
  try {
    await handle.result()
    return undefined
  } catch (error) {
    const failure = workflowFailure(error)
    if (failure instanceof Failure) return failure.message
    throw failure
  }
}

/** What was loaded, for people and for scripts. */
export function report(ended: readonly Ended[], printer: Printer): void {
  printer.json({ runs: ended })
  const rows = ended.flatMap(({ streams }) => streams)
  printer.table(
    ['sync', ...streamHead],
    rows.map((row) => [row.sync, ...streamRow(row)]),
  )
  for (const { sync, warnings } of ended) for (const warning of warnings) printer.line(`\nsync ${sync}: ${warning}`)
  for (const { sync, status, failure, streams } of ended) {
    if (!failure) continue
    printer.line(`\nsync ${sync}: ${status}`)
    const own = streams.filter((row) => row.failure)
    for (const row of own)
      printer.line(
        `  ${row.stream}: ${row.failure!.message} [${row.failure!.reason}; acts: ${reasons[row.failure!.reason as Reason]?.who ?? 'us'}]`,
      )
    if (own.length === 0) printer.line(`  ${failure}`)
  }
  printChecks(
    ended.flatMap(({ quality }) => quality),
    printer,
  )
  const letters = rows.reduce((sum, row) => sum + row.deadLetters, 0)
  const syncs = [...new Set(rows.filter((row) => row.deadLetters > 0).map(({ sync }) => sync))]
  if (letters > 0)
    printer.line(
      `\n${number(letters)} records became dead letters; look at them with: weir dlq list${syncs.length === 1 ? ` ${syncs[0]}` : ''}`,
    )
}
