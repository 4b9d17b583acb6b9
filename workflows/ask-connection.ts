import { proxyActivities } from '@temporalio/workflow'
import type { AskInput, AskReceipt, ControlActivities } from '../src/core/activities.js'
import { policies } from './policies.js'

/** Asks a vendor something for a person: check, discover, preview. The answer lies in a row that the caller takes. */
export async function askConnection(input: AskInput): Promise<AskReceipt> {
  const { ask } = proxyActivities<ControlActivities>(policies().question)
  return ask.executeWithOptions({ summary: `${input.question} ${input.sync}` }, [input])
}
