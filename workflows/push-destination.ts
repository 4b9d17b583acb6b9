import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow'
import type { MembersInput, PushActivities } from '../src/core/push.js'
import { policies } from './policies.js'
import { rest } from './read-slice.js'

/** Sends a destination's changes, batch by batch. Each is in the ledger before it leaves: a retry repeats one at most, and repeating it is harmless. */
export async function pushDestination(input: MembersInput): Promise<{ members: number }> {
  const { pushMembers } = proxyActivities<PushActivities>(policies(input.timing).slice)
  const summary = `${input.audience} → ${input.destination}`
  let members = 0
  for (let more = true; more; ) {
    const receipt = await pushMembers.executeWithOptions({ summary }, [input])
    members += receipt.members
    more = receipt.more
    setCurrentDetails(`**${summary}**: ${members} members sent${receipt.askAgainMs === undefined ? '' : '; the vendor is at work'}`)
    if (receipt.waitUntil !== undefined) await rest(receipt.waitUntil, receipt.waitsFor)
    else if (receipt.askAgainMs !== undefined) await sleep(receipt.askAgainMs, { summary: 'the vendor works on what it was sent' })
    if (more && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof pushDestination>(input)
  }
  return { members }
}
