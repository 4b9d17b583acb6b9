import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { ParentClosePolicy, proxyActivities, setCurrentDetails, startChild } from '@temporalio/workflow'
import type { PushActivities, PushInput, PushTick } from '../src/core/push.js'
import { pushStart } from '../src/core/run-start.js'
import { policies } from './policies.js'
import { pushAudience } from './push-audience.js'

/**
 * What a schedule starts: a push under the audience's own id, which goes on by itself. One under way, or waiting for a decision, is not
 * joined by a second one: this one is left out, and says so.
 */
export async function pushWhenDue(input: PushInput): Promise<PushTick> {
  try {
    const child = await startChild(pushAudience, { ...pushStart(input), parentClosePolicy: ParentClosePolicy.ABANDON })
    return { run: child.firstExecutionRunId }
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    const { skipPush } = proxyActivities<PushActivities>(policies().step)
    const { skipped } = await skipPush.executeWithOptions({ summary: input.audience }, [input])
    setCurrentDetails(skipped)
    return { skipped }
  }
}
