import { Failure } from '../../src/core/failure.js'
import { type Decision, type PushInput, previewId, pushId } from '../../src/core/push.js'
import { pushStart } from '../../src/core/run-start.js'
import type { PushPreview } from '../../src/engine/audience/prepare-push.js'
import type { PushRow } from '../../src/warehouse/contract/audiences.js'
import { chosenAudience } from '../audiences.js'
import { who } from '../confirm.js'
import { exit } from '../exit.js'
import { maskInline } from '../mask.js'
import { ago, number, type Printer } from '../print.js'
import { openSession, putDefinition, queue, refuseDetach, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { found } from '../watch.js'
import { refusalOf, workflowFailure } from '../workflow-failure.js'

interface AudienceOptions extends Common {
  by?: string
  detach?: boolean
  changeSet?: string
  limit?: number
}
interface Context {
  options: AudienceOptions
  printer: Printer
  args: string[]
}

/** What a push would do: nothing is sent, nothing is kept. */
export async function preview({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenAudience(manifest, args[0]!))
  try {
    const definition = chosenAudience(session.manifest, args[0]!)
    const hash = await putDefinition(session, definition)
    const { handover } = await result<{ handover: string }>(session, 'previewAudience', previewId(definition.audience), [
      { audience: definition.audience, definition: hash },
    ])
    const seen = (await session.warehouse.handovers.take(handover)) as PushPreview
    printer.json(seen)
    printer.line(
      `${number(seen.rows)} rows of model ${definition.model.name}, ${number(seen.people)} people to be held${excludedText(seen.excluded)}.\n`,
    )
    printer.table(
      ['destination', 'holds', 'add', 'update', 'remove', 'owed', 'unchanged', 'left out', 'requests'],
      Object.entries(seen.destinations).map(([name, one]) => [
        name,
        one.held,
        one.add,
        one.update,
        one.remove,
        one.owed,
        one.unchanged,
        Object.values(one.excluded).reduce((sum, people) => sum + people, 0),
        seen.requests[name]!,
      ]),
    )
    for (const [name, changes] of Object.entries(seen.sample))
      for (const { action, cause, key, identifiers, fields } of changes)
        printer.line(
          `  ${name}: ${action} ${maskInline(key)} (${cause}) by ${identifiers.join(', ') || 'the vendor’s id'}${fields.length > 0 ? `, with ${fields.join(', ')}` : ''}`,
        )
    printer.line(`\nChange set ${seen.changeSet}`)
    const { reasons, notes, otherwise } = seen.verdict
    if (reasons.length === 0) printer.line('Its gates let it pass.')
    else printer.line(`${outside[otherwise]}:\n${listed(reasons)}`)
    if (notes.length > 0) printer.line(`Worth knowing:\n${listed(notes)}`)
    return 0
  } finally {
    await session.close()
  }
}

const listed = (texts: readonly string[]) => texts.map((text) => `  - ${text}`).join('\n')
const outside = { ask: 'It would wait for a decision', hold: 'It would be held', fail: 'It would fail' } as const

/** Starts a push by the files as they stand, and follows it to its end or to where it waits. */
export async function push({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenAudience(manifest, args[0]!))
  try {
    const definition = chosenAudience(session.manifest, args[0]!)
    const { audience } = definition
    refuseDetach(options, session)
    const requestedBy = options.by ?? who() ?? 'unknown'
    const { run } = await startManual(session, audience, requestedBy)
    printer.note(`audience/${audience}: push ${run}, asked for by ${requestedBy}`)
    if (options.detach) {
      printer.json({ audience, run })
      return 0
    }
    const ended = await follow(session, audience, run)
    const rows = await session.warehouse.audiences.destinations(run)
    printer.json({ ...ended, destinations: rows })
    printer.table(
      ['destination', 'sent', 'accepted', 'confirmed', 'rejected', 'of them dead', 'removed', 'dropped', 'batches'],
      rows.map((one) => [
        one.destination,
        one.sent,
        one.accepted,
        one.confirmed,
        one.rejected,
        one.dead,
        one.removed,
        one.dropped,
        one.batches,
      ]),
    )
    printer.line(`\n${audience}: ${ended.status}`)
    if (ended.failure) printer.line(`  ${ended.failure.message} [${ended.failure.reason}]`)
    if (ended.status === 'waiting') printer.line(waitingText(ended))
    if (ended.status === 'held') printer.line(`  It is held, but for removals that are owed:\n${listed(ended.verdict ?? [])}`)
    if (ended.notes) printer.line(`  Worth knowing:\n${listed(ended.notes)}`)
    if (rows.some(({ rejected }) => rejected > 0))
      printer.line(`  Look at the rejected: weir audience members ${audience} --state rejected dead`)
    return exitOfPush(ended)
  } finally {
    await session.close()
  }
}

const exitOfPush = ({ status }: PushRow): number =>
  status === 'completed' ? exit.done : ['completed_with_rejections', 'waiting', 'held'].includes(status) ? exit.deadLetters : exit.failed

const waitingText = ({ audience, verdict = [], expiresAt, prepared }: PushRow) =>
  [
    `  It waits${expiresAt ? ` until ${expiresAt}` : ''}:`,
    ...verdict.map((reason) => `  - ${reason}`),
    `  Decide it: weir audience approve ${audience} --change-set ${prepared?.changeSet.slice(0, 12)} --by NAME, or weir audience reject …`,
  ].join('\n')

/** Until the push ends, or waits for somebody: that may take days. */
export async function follow({ warehouse, temporal }: Session, audience: string, run: string): Promise<PushRow> {
  const end = temporal.workflow.getHandle(pushId(audience), run).result()
  const row = await found(end, async () => {
    const [seen] = await warehouse.audiences.runs({ run, limit: 1 })
    return seen?.finishedAt || (seen?.status === 'waiting' && seen.expiresAt !== undefined) ? seen : undefined
  })
  if (row) return row
  await end.catch((error: unknown) => {
    throw workflowFailure(error)
  })
  throw new Failure('bug', `The push of audience ${audience} has ended, and its run ${run} says nothing of it.`)
}

/** Starts a push by the files as they stand. @throws Failure `config` for an audience that they do not have */
export async function startManual(session: Session, audience: string, requestedBy: string): Promise<{ run: string }> {
  const definition = await putDefinition(session, chosenAudience(session.manifest, audience))
  return { run: await start(session, audience, { audience, definition, kind: 'manual', requestedBy }) }
}

async function start({ temporal }: Session, audience: string, input: PushInput): Promise<string> {
  try {
    const handle = await temporal.workflow.start('pushAudience', {
      taskQueue: queue(),
      ...pushStart(input),
    })
    return handle.firstExecutionRunId
  } catch (error) {
    throw workflowFailure(error, {}, `A push of audience ${audience} is under way or waits. See it: weir audience runs ${audience}`)
  }
}

async function result<T>({ temporal }: Session, workflow: string, workflowId: string, args: unknown[]): Promise<T> {
  try {
    return (await temporal.workflow.execute(workflow, { taskQueue: queue(), workflowId, args })) as T
  } catch (error) {
    throw workflowFailure(error, {}, 'This is being asked already; wait for its answer.')
  }
}

export const approve = (context: Context) => decide('approve', context)
export const reject = (context: Context) => decide('reject', context)

/** A decision on what waits; of a change set that is named by its beginning at least. */
async function decide(what: 'approve' | 'reject', { options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const audience = args[0]!
    const [row] = await session.warehouse.audiences.runs({ audience, limit: 1 })
    const changeSet = row?.prepared?.changeSet
    if (row?.status !== 'waiting' || changeSet === undefined) throw new Failure('config', `No push of ${audience} waits for a decision.`)
    const given = options.changeSet ?? ''
    if (given.length < 8 || !changeSet.startsWith(given))
      throw new Failure(
        'config',
        `The push of ${audience} that waits has change set ${changeSet.slice(0, 12)}…: name it with --change-set, once you have looked at it.`,
      )
    const by = options.by ?? who() ?? 'unknown'
    const answer = await update(session, audience, row.run, what, { changeSet, by })
    printer.json({ audience, run: row.run, decision: answer, by })
    printer.line(`${audience}: ${answer} by ${by}.`)
    return 0
  } finally {
    await session.close()
  }
}

async function update({ temporal }: Session, audience: string, run: string, name: string, decision: Decision): Promise<string> {
  try {
    return await temporal.workflow.getHandle(pushId(audience), run).executeUpdate<string, [Decision]>(name, { args: [decision] })
  } catch (error) {
    throw refusalOf(error, {}, `weir audience runs ${audience}`)
  }
}

export async function runs({ options, printer, args }: Context): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const rows = await session.warehouse.audiences.runs({ ...(args[0] ? { audience: args[0] } : {}), limit: options.limit ?? 10 })
    printer.json({ runs: rows })
    if (rows.length === 0) printer.line('No audience was pushed yet.')
    else
      printer.table(
        ['audience', 'status', 'when', 'people', 'asked by', 'decided by', 'run'],
        rows.map((row) => [
          row.audience,
          row.status,
          ago(row.startedAt),
          row.prepared?.people ?? 0,
          row.requestedBy ?? '',
          row.decision ? `${row.decision.by}: ${row.decision.isApproved ? 'yes' : 'no'}` : '',
          row.run,
        ]),
      )
    for (const row of rows) {
      if (row.status === 'waiting' && row.expiresAt) printer.line(`\n${row.audience}\n${waitingText(row)}`)
      if (row.status === 'held') printer.line(`\n${row.audience}, held:\n${listed(row.verdict ?? [])}`)
      if (row.notes) printer.line(`\n${row.audience}, worth knowing:\n${listed(row.notes)}`)
      if (row.skipped)
        printer.line(`\n${row.audience}: ${row.skipped.pushes} due meanwhile and left out, the newest ${ago(row.skipped.newestAt)}`)
      if (row.failure) printer.line(`\n${row.audience}: ${row.failure.message} [${row.failure.reason}]`)
    }
    return 0
  } finally {
    await session.close()
  }
}

const excludedText = (excluded: Readonly<Record<string, number>>) => {
  const parts = Object.entries(excluded).map(([why, people]) => `${number(people)} ${why}`)
  return parts.length === 0 ? '' : ` (left out: ${parts.join(', ')})`
}
