import { proxyActivities, proxyLocalActivities, setCurrentDetails } from '@temporalio/workflow'
import type {
  AlertActivities,
  AlertControlActivities,
  DeliverReceipt,
  LookInput,
  LookReceipt,
  TestAlertInput,
  TestAlertReceipt,
} from '../src/core/alerts.js'
import { policies } from './policies.js'

/** Looks at all syncs, and sends what is due. Started every minute: where nothing is due that costs six events. */
export const watch = (): Promise<LookReceipt & Partial<DeliverReceipt>> => lookAndSend({})

/** Looks at what `input` names, and sends what is due. */
export async function lookAndSend(input: LookInput): Promise<LookReceipt & Partial<DeliverReceipt>> {
  const { lookForAlerts } = proxyLocalActivities<AlertActivities>(policies().look)
  const looked = await lookForAlerts(input)
  if (looked.due === 0) return looked
  const { deliverAlerts } = proxyActivities<AlertActivities>(policies().deliver)
  return { ...looked, ...(await deliverAlerts.executeWithOptions({ summary: `${looked.due} targets have messages due` }, [])) }
}

/** Sends a message to a target for a person who waits for what comes back. */
export async function testAlert(input: TestAlertInput): Promise<TestAlertReceipt> {
  const { testAlert: send } = proxyActivities<AlertControlActivities>(policies().question)
  const receipt = await send(input)
  setCurrentDetails(`${receipt.isDelivered ? 'Delivered' : 'Not delivered'}: ${receipt.answer}`)
  return receipt
}
