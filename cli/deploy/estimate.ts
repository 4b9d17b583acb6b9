/** What reading will need, from what runs have needed; said as what it is: about. */
import type { Definition } from '../../src/core/definition.js'
import { dayMs } from '../../src/core/slices.js'
import type { StreamNeed } from '../../src/warehouse/contract/deployments.js'
import { duration, number } from '../print.js'

export interface Estimate {
  /** Everything, from the beginning. */
  full: string
  /** What a run has needed that only looked for what was new. */
  last: string
  /** So many days of the vendor's time. */
  days: (days: number) => string
}

/** @param need undefined for a stream that never completed */
export function estimateOf(need: StreamNeed | undefined, definition: Definition): Estimate {
  if (!need) {
    const unknown = 'how much that is will be known after its first run'
    return { full: unknown, last: unknown, days: () => unknown }
  }
  const text = (requests: number) => about(requests, need, definition)
  const { days, requests } = need.ranges
  return {
    full: text(need.most.requests),
    last: text(need.last.requests),
    days: (count) => (days > 0 ? text((requests / days) * count) : `its runs have read too little to say how much that is`),
  }
}

function about(requests: number, need: StreamNeed, { connection: { budget } }: Definition): string {
  const spent = need.most.requests > 0 ? need.most : need.last
  const paceMs = spent.requests > 0 ? spent.ms / spent.requests : 0
  const own = typeof budget === 'object' ? budget : {}
  const budgetMs = Math.max(own.requests ? own.requests.perMs / own.requests.count : 0, own.perDay ? dayMs / own.perDay : 0)
  const ms = requests * Math.max(paceMs, budgetMs)
  const why = budgetMs > paceMs ? 'at its budget' : 'at the pace of its runs'
  return `about ${number(Math.ceil(requests))} ${Math.ceil(requests) === 1 ? 'request' : 'requests'}, ${duration(ms)} ${why}`
}
