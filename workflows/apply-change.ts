import { proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow'
import type { Activities, ApplyChangeInput, ApplyChangeReceipt } from '../src/core/activities.js'
import { policies } from './policies.js'

const againAfter = '15s'

/** An approved field gets its column, and the values that waited for it; those of a run under way too, when it has ended. */
export async function applyChange(input: ApplyChangeInput): Promise<{ filled: number }> {
  const { applyChange: apply } = proxyActivities<Activities>(policies().step)
  const summary = `${input.sync} / ${input.stream}: change ${input.change}`
  let filled = 0
  for (let after: string | undefined; ; ) {
    const receipt: ApplyChangeReceipt = await apply.executeWithOptions({ summary }, [{ ...input, ...(after ? { after } : {}) }])
    filled += receipt.filled
    after = receipt.next
    setCurrentDetails(`**${summary}**: the column is there, ${filled} rows filled so far.`)
    if (after !== undefined) continue
    if (!receipt.isBusy) return { filled }
    await sleep(againAfter, { summary: 'a run that began before the column was there is under way' })
  }
}
