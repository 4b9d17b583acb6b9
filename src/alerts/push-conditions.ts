/** What is wrong with the pushes of an audience. Pure, as conditions.ts is. */
import type { AudienceDefinition } from '../core/audience.js'
import type { Condition, PushFacts } from '../warehouse/contract/alerts.js'
import { severityOf } from './conditions.js'

/** Where the audience does not say how many may be refused. */
const maxRejectedPercent = 5

export function pushConditions({ last, waiting, sent }: PushFacts, definition: AudienceDefinition): Condition[] {
  return [...failed(last), ...held(last), ...decision(waiting), ...(last ? rejections(last, sent, definition) : [])]
}

type Last = NonNullable<PushFacts['last']>

function failed(last: Last | undefined): Condition[] {
  if (last?.status !== 'failed') return []
  const { reason, message } = last.failure ?? { reason: 'bug', message: 'The push failed and did not say why.' }
  return [{ stream: '', kind: 'failed', severity: severityOf(reason), reason, message, run: last.run, since: last.finishedAt }]
}

/** Until a push ends otherwise: what is held is tried again by the next one. */
function held(last: Last | undefined): Condition[] {
  if (last?.status !== 'held') return []
  const message = `Nothing was sent but removals that are owed: ${last.verdict.join('; ')}.`
  return [{ stream: '', kind: 'held', severity: 'error', message, run: last.run, since: last.finishedAt }]
}

function decision(waiting: PushFacts['waiting']): Condition[] {
  if (!waiting) return []
  const { run, verdict, since, expiresAt } = waiting
  const message = `It waits for a decision until ${expiresAt}: ${verdict.join('; ')}.`
  return [{ stream: '', kind: 'decision', severity: 'warning', message, run, since }]
}

function rejections(last: Last, sent: PushFacts['sent'], definition: AudienceDefinition): Condition[] {
  const most = definition.maxRejectedPercent ?? maxRejectedPercent
  return sent.flatMap(({ destination, members, rejected }): Condition[] => {
    const share = members === 0 ? 0 : (100 * rejected) / members
    if (share <= most) return []
    const message = `${rejected} of ${members} members were refused: ${Number(share.toFixed(1))} %, ${most} % are allowed (max_rejected).`
    return [{ stream: destination, kind: 'rejections', severity: 'warning', message, run: last.run, since: last.finishedAt }]
  })
}
