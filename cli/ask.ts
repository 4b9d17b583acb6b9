import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import type { Manifest } from '../src/config/compile.js'
import type { AskInput, AskReceipt } from '../src/core/activities.js'
import { Failure } from '../src/core/failure.js'
import { pushId } from '../src/core/push.js'
import { labels } from '../src/core/run-start.js'
import type { Answers } from '../src/engine/ask.js'
import type { DestinationFindings } from '../src/engine/audience/check-destinations.js'
import type { ConnectAnswer, ConsentAnswer } from '../src/engine/connect.js'
import { putDefinition, queue, type Session } from './session.js'
import { workflowFailure } from './workflow-failure.js'

type AllAnswers = Answers & { consent: ConsentAnswer; connect: ConnectAnswer; destinations: DestinationFindings[] }
type Question<Q extends AskInput['question']> = { question: Q } & Omit<AskInput, 'question' | 'sync' | 'definition'>

/** What of a session asking needs. */
export type Asking = Pick<Session, 'manifest' | 'warehouse' | 'temporal'>

/** Asks a worker about the connection of a sync; the answer comes by a row that is deleted when read. */
export async function ask<Q extends AskInput['question']>(session: Asking, sync: string, question: Question<Q>): Promise<AllAnswers[Q]> {
  return answerTo(session, sync, await startAsking(session, sync, question))
}

/** A question under way. */
export interface Asked<Q extends AskInput['question']> {
  question: Q
  handle: WorkflowHandle
}

/** The first half of asking. */
export async function startAsking<Q extends AskInput['question']>(session: Asking, sync: string, question: Question<Q>): Promise<Asked<Q>> {
  const definition = await putDefinition(session, session.manifest.syncs[sync]!)
  const input = { ...question, sync, definition }
  return started(session, input, `${question.question} ${sync}`, labels({ sync, kind: 'ask', definition, tellsStatus: false }))
}

async function started<Q extends AskInput['question']>(
  { temporal }: Asking,
  input: AskInput & { question: Q },
  staticSummary: string,
  found: Partial<ReturnType<typeof labels>> = {},
): Promise<Asked<Q>> {
  const { question, sync } = input
  const handle = await temporal.workflow.start('askConnection', {
    taskQueue: queue(),
    workflowId: `ask/${question}/${sync}/${randomUUID().slice(0, 8)}`,
    args: [input],
    staticSummary,
    staticDetails: 'A person asked, and waits at a terminal for the answer. It is handed over in a row, and never stands here.',
    ...found,
  })
  return { question, handle }
}

/** The other half. @param sync that a failure names */
export async function answerTo<Q extends AskInput['question']>(
  { warehouse }: Asking,
  sync: string | undefined,
  { handle }: Asked<Q>,
): Promise<AllAnswers[Q]> {
  try {
    const { handover } = (await handle.result()) as AskReceipt
    return (await warehouse.handovers.take(handover)) as AllAnswers[Q]
  } catch (error) {
    throw workflowFailure(error, sync === undefined ? {} : { sync })
  }
}

/** What the destinations of an audience say: is the target there, does the mapping fit, may the credential go there. */
export async function askDestinations(session: Asking, audience: string): Promise<DestinationFindings[]> {
  const definition = await putDefinition(session, session.manifest.audiences[audience]!)
  const sync = pushId(audience)
  return answerTo(session, undefined, await started(session, { question: 'destinations', sync, definition }, `check ${sync}`))
}

/** The sync through which a connection (or sync) that a person names is asked. */
export function syncFor(manifest: Manifest, name: string): string {
  const syncs = Object.values(manifest.syncs)
  const found = syncs.find(({ sync }) => sync === name) ?? syncs.find(({ connection }) => connection.name === name)
  if (!found)
    throw new Failure(
      'config',
      `No sync or connection "${name}" in the project file. It has ${syncs.map(({ sync }) => sync).join(', ') || 'none'}.`,
    )
  return found.sync
}
