/** The outbox: each message once to its target, or again until it is there. */
import { randomUUID } from 'node:crypto'
import type { AlertTarget, DeliverReceipt, ResolvedTarget, TestAlertReceipt } from '../core/alerts.js'
import type { Definition } from '../core/definition.js'
import { asFailure, Failure } from '../core/failure.js'
import type { Clock, Log } from '../core/ports.js'
import type { Redact } from '../observe/redact.js'
import type { Delivery } from '../warehouse/contract/alerts.js'
import type { Warehouse } from '../warehouse/driver.js'
import { type Answer, endOf } from './back-off.js'
import { testMessage } from './message.js'
import { answerMs, send } from './send.js'

export interface DeliverInput {
  warehouse: Warehouse
  clock: Clock
  log: Log
  redact: Redact
  /** The target with its references resolved and its host judged. @throws Failure `config` */
  resolve: (target: AlertTarget) => ResolvedTarget
  /** Where a run is shown, where that is known. */
  linkOf: (run: string) => string | undefined
  /** Of how many targets messages are sent at once, and for how long others are taken up. */
  limits?: { width?: number; workMs?: number }
}

/**
 * Sends what is due: of each target the oldest message first, and the next one only when that is delivered or given up. A worker that dies
 * between an answer and its note sends the message again, under the same id.
 */
export async function deliver(input: DeliverInput): Promise<DeliverReceipt> {
  const { warehouse, clock, log, redact } = input
  const { width = 8, workMs = 30_000 } = input.limits ?? {}
  const receipt: DeliverReceipt = { delivered: 0, failed: 0, givenUp: 0 }
  const endAt = clock.now().getTime() + workMs
  while (clock.now().getTime() < endAt) {
    const claimed = await warehouse.alerts.claim(width, 3 * answerMs)
    if (claimed.length === 0) break
    await Promise.all(
      claimed.map(async (delivery) => {
        const answer = await attempt(input, delivery)
        const end = endOf({ ...answer, answer: redact(answer.answer) }, delivery, Math.random())
        await warehouse.alerts.settle(delivery, end)
        const { target, attempts, id } = delivery
        const said = { target, attempts, message: id, ...('error' in end ? { error: end.error } : {}) }
        if (end.status === 'delivered') receipt.delivered += 1
        else if (end.status === 'pending') receipt.failed += 1
        else receipt.givenUp += 1
        if (end.status === 'given_up') log.error('alert given up', said)
        else if (end.status === 'pending') log.warn('alert not delivered yet', said)
      }),
    )
  }
  return receipt
}

async function attempt(
  { warehouse, resolve, linkOf }: DeliverInput,
  { definition: hash, targetIndex, message, id }: Delivery,
): Promise<Answer> {
  try {
    const target = resolve(targetOf(await warehouse.definitions.get(hash), targetIndex))
    const link = message.run === undefined ? undefined : linkOf(message.run)
    return await send(target, message, { id, ...(link === undefined ? {} : { link }) })
  } catch (error) {
    const { reason, message: why } = asFailure(error)
    return { isDelivered: false, answer: why, isRefused: reason === 'config' }
  }
}

/** A message past the outbox, for whoever wants to see it arrive. */
export async function sendTest(
  { clock, redact, resolve }: Pick<DeliverInput, 'clock' | 'redact' | 'resolve'>,
  definition: Definition,
  targetIndex: number,
): Promise<TestAlertReceipt> {
  const target = resolve(targetOf(definition, targetIndex))
  const { isDelivered, answer } = await send(target, testMessage(definition, clock.now().toISOString()), { id: randomUUID() })
  return { isDelivered, answer: redact(answer) }
}

function targetOf({ sync, alerts }: Definition, index: number): AlertTarget {
  const target = alerts?.[index]
  if (!target) throw new Failure('config', `Sync ${sync} has no alert target ${index + 1}.`, { sync })
  return target
}
