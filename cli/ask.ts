import { randomUUID } from 'node:crypto'
import type { Manifest } from '../src/config/compile.js'
import type { AskInput, AskReceipt } from '../src/core/activities.js'
import { Failure } from '../src/core/failure.js'
import type { Answers } from '../src/engine/ask.js'
import { labels } from './labels.js'
import { putDefinition, queue, type Session } from './session.js'
import { workflowFailure } from './workflow-failure.js'

/** Asks a worker about the connection of a sync; the answer comes by a row that is deleted when read. */
export async function ask<Q extends AskInput['question']>(
  session: Session,
  sync: string,
  question: { question: Q; stream?: string; limit?: number },
): Promise<Answers[Q]> {
  const definition = await putDefinition(session, session.manifest.syncs[sync]!)
  try {
    const { handover } = (await session.temporal.workflow.execute('askConnection', {
      taskQueue: queue(),
      workflowId: `ask/${question.question}/${sync}/${randomUUID().slice(0, 8)}`,
      args: [{ ...question, sync, definition } satisfies AskInput],
      staticSummary: `${question.question} ${sync}`,
      staticDetails: 'A person asked, and waits at a terminal for the answer. It is handed over in a row, and never stands here.',
      ...labels({ sync, kind: 'ask', definition, tellsStatus: false }),
    })) as AskReceipt
    return (await session.warehouse.handovers.take(handover)) as Answers[Q]
  } catch (error) {
    throw workflowFailure(error, { sync })
  }
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
