import { CancellationScope, log, proxyActivities, proxyLocalActivities, setCurrentDetails } from '@temporalio/workflow'
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
import { noteOf } from './status.js'

/** Looks at all syncs, and sends what is due. Started every minute: where nothing is due that costs six events. */
export const watch = (): Promise<LookReceipt & Partial<DeliverReceipt>> => lookAndSend({})

/** Looks at what `input` names, and sends what is due. */
async function lookAndSend(input: LookInput): Promise<LookReceipt & Partial<DeliverReceipt>> {
  const { lookForAlerts } = proxyLocalActivities<AlertActivities>(policies().look)
  const looked = await lookForAlerts(input)
  if (looked.due === 0) return looked
  const { deliverAlerts } = proxyActivities<AlertActivities>(policies().deliver)
  return { ...looked, ...(await deliverAlerts.executeWithOptions({ summary: `${looked.due} targets have messages due` }, [])) }
}

/** The same as something ends or waits: an alert that cannot be made or sent now is `weir/watch`'s a minute later, and changes nothing of what it is about. */
export async function tellAlerts(about: LookInput): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => lookAndSend(about))
  } catch (error) {
    log.warn('alerts could not be told', { ...about, error: noteOf(error).message })
  }
}

/** Sends a message to a target for a person who waits for what comes back. */
export async function testAlert(input: TestAlertInput): Promise<TestAlertReceipt> {
  const { testAlert: send } = proxyActivities<AlertControlActivities>(policies().question)
  const receipt = await send(input)
  setCurrentDetails(`${receipt.isDelivered ? 'Delivered' : 'Not delivered'}: ${receipt.answer}`)
  return receipt
}
