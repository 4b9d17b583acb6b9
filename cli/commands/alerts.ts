import { randomUUID } from 'node:crypto'
import { type AlertTarget, type TestAlertInput, type TestAlertReceipt, targetName } from '../../src/core/alerts.js'
import { Failure } from '../../src/core/failure.js'
import { pushId } from '../../src/core/push.js'
import type { AlertRow, DeliveryRow } from '../../src/warehouse/contract/alerts.js'
import { exit } from '../exit.js'
import { ago, type Printer, tableText } from '../print.js'
import { openSession, putDefinition, queue, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { workflowFailure } from '../workflow-failure.js'

interface Command<O> {
  options: O & Common
  printer: Printer
  args: string[]
}

/** What is open, and whether people were reached. */
export async function list({ options, printer, args }: Command<{ all?: boolean; limit: number }>): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const { alerts } = session.warehouse
    const [sync] = args
    const { limit } = options
    const rows = await alerts.list({ limit, withResolved: options.all ?? false, ...(sync === undefined ? {} : { sync }) })
    const deliveries = await alerts.deliveries({ undelivered: !options.all, limit })
    printer.json({ alerts: rows, deliveries })
    if (rows.length === 0) printer.line(options.all ? 'No alert yet.' : 'No alert is open.')
    else {
      const head = ['severity', 'alert', 'since', ...(options.all ? ['until'] : []), 'told', 'what']
      printer.table(
        head,
        rows.map((row) => [
          row.severity,
          `${nameOf(row)} ${row.kind}${row.kind === 'failed' && row.reason ? ` (${row.reason})` : ''}`,
          ago(row.since),
          ...(options.all ? [row.resolvedAt ? ago(row.resolvedAt) : 'open'] : []),
          Object.keys(row.told).join(', ') || 'nobody',
          row.message.length > 120 ? `${row.message.slice(0, 119)}…` : row.message,
        ]),
      )
    }
    if (deliveries.length > 0) printer.line(`\n${deliveriesText(deliveries)}`)
    return exit.done
  } finally {
    await session.close()
  }
}

/** The whole sync, or one stream of it. */
const nameOf = ({ sync, stream }: AlertRow) => (stream === '' ? sync : `${sync}/${stream}`)

const deliveriesText = (deliveries: readonly DeliveryRow[]) =>
  tableText(
    ['message', 'to', 'state', 'attempts', 'last answer'],
    deliveries.map(({ title, target, status, attempts, nextAttemptAt, lastError, createdAt, endedAt }) => [
      title,
      target,
      status === 'pending' ? `pending; next try ${nextAttemptAt}` : `${status.replace('_', ' ')} ${ago(endedAt ?? createdAt)}`,
      attempts,
      lastError ?? '',
    ]),
  )

/** What `weir status` says of alerts: those that are open of the project's syncs, and messages that reached nobody. */
export interface Standing {
  open: AlertRow[]
  undelivered: DeliveryRow[]
}

export async function standingAlerts({ warehouse, manifest }: Session): Promise<Standing> {
  const ours = new Set([...Object.keys(manifest.syncs), ...Object.keys(manifest.audiences).map(pushId)])
  const isOurs = ({ sync }: { sync: string }) => ours.has(sync)
  const [open, undelivered] = await Promise.all([
    warehouse.alerts.list({ limit: 500 }),
    warehouse.alerts.deliveries({ undelivered: true, limit: 500 }),
  ])
  return { open: open.filter(isOurs), undelivered: undelivered.filter(isOurs) }
}

/** The same for people; undefined where there is nothing. */
export function alertsText({ open: rows, undelivered: unsaid }: Standing): string | undefined {
  const shown = rows
    .slice(0, 10)
    .map((row) => `  ${row.severity}: ${nameOf(row)} ${row.kind}, since ${ago(row.since).replace(/ ago$/, '')}`)
  const givenUp = unsaid.filter(({ status }) => status === 'given_up').length
  const lines = [
    ...(rows.length > 0 ? [`${rows.length} alert${rows.length === 1 ? ' is' : 's are'} open:`, ...shown] : []),
    ...(rows.length > shown.length ? [`  and ${rows.length - shown.length} more`] : []),
    ...(unsaid.length > givenUp ? [`${unsaid.length - givenUp} messages about alerts could not be delivered yet`] : []),
    ...(givenUp > 0 ? [`${givenUp} messages about alerts were given up in the last seven days`] : []),
  ]
  return lines.length === 0 ? undefined : `${lines.join('\n')}\nMore: weir alerts`
}

interface Chosen {
  sync: string
  index: number
  name: string
}

/** Sends a message through the worker, which has the secrets and the network that count, and says what came back. */
export async function test({ options, printer, args }: Command<object>): Promise<number> {
  const session = await openSession(options, printer, ({ syncs }) => chosenTargets(syncs, args[0]))
  try {
    const chosen = chosenTargets(session.manifest.syncs, args[0])
    const results = []
    for (const one of chosen) {
      printer.note(`Sending to ${one.name}`)
      results.push({ target: one.name, ...(await sendTest(session, one)) })
    }
    printer.json({ results })
    printer.table(
      ['target', 'delivered', 'answer'],
      results.map(({ target, isDelivered, answer }) => [target, isDelivered ? 'yes' : 'no', answer]),
    )
    return results.every(({ isDelivered }) => isDelivered) ? exit.done : exit.failed
  } finally {
    await session.close()
  }
}

/**
 * Targets of all syncs, each once; with a word, those whose kind or name it is, or stands in.
 * @throws Failure `config` where there is none
 */
export function chosenTargets(syncs: Readonly<Record<string, { alerts?: readonly AlertTarget[] }>>, word?: string): Chosen[] {
  const all = new Map<string, Chosen>()
  for (const [sync, { alerts = [] }] of Object.entries(syncs))
    for (const [index, target] of alerts.entries()) {
      const name = targetName(target)
      if (!all.has(name)) all.set(name, { sync, index, name })
    }
  if (all.size === 0)
    throw new Failure(
      'config',
      'No sync of the project file has alert targets. Add `alerts:` to it, or to `defaults`: docs/guides/alerts.md.',
    )
  const chosen = [...all.values()].filter(({ name }) => word === undefined || name.includes(word))
  if (chosen.length === 0) throw new Failure('config', `No alert target is like "${word}". There are: ${[...all.keys()].join('; ')}.`)
  return chosen
}

async function sendTest(session: Session, { sync, index }: Chosen): Promise<TestAlertReceipt> {
  const definition = await putDefinition(session, session.manifest.syncs[sync]!)
  const input: TestAlertInput = { definition, target: index }
  try {
    return await session.temporal.workflow.execute<(given: TestAlertInput) => Promise<TestAlertReceipt>>('testAlert', {
      taskQueue: queue(),
      workflowId: `alert-test/${sync}/${randomUUID().slice(0, 8)}`,
      args: [input],
      staticSummary: `a test message to alert target ${index + 1} of ${sync}`,
    })
  } catch (error) {
    const failure = workflowFailure(error, { sync })
    if (failure instanceof Failure && failure.reason === 'config') return { isDelivered: false, answer: failure.message }
    throw failure
  }
}
