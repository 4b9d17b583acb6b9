/** What to tell whom: conditions against what is open and was said before. Pure. */
import { type AlertEvent, type AlertKind, type AlertSeverity, type AlertTarget, targetName } from '../core/alerts.js'
import type { AudienceDefinition } from '../core/audience.js'
import type { Definition } from '../core/definition.js'
import { pushId } from '../core/push.js'
import type { Redact } from '../observe/redact.js'
import type { AlertRow, Condition, PushFacts, Queued, SyncFacts, Told, Verdict } from '../warehouse/contract/alerts.js'
import { type Conditions, conditionsOf } from './conditions.js'
import { isAudience, messageOf, type Subject } from './message.js'
import { pushConditions } from './push-conditions.js'

type Kept = Condition & { told: Told }
interface Said {
  target: AlertTarget
  targetIndex: number
  event: AlertEvent
  about: Condition
}

/** @param redact a failure's words come from vendors: secrets and addresses are taken out once more before they are kept and sent */
export const judge = (facts: SyncFacts, open: readonly AlertRow[], definition: Definition, redact: Redact): Verdict =>
  judgeConditions(conditionsOf(facts, definition), { open, about: definition, now: facts.now, redact })

/** The same of an audience, whose destinations stand where streams do. */
export function judgePushes(facts: PushFacts, open: readonly AlertRow[], definition: AudienceDefinition, redact: Redact): Verdict {
  const { audience, project, alerts, destinations } = definition
  const sync = pushId(audience)
  const about: Subject = { sync, project, ...(alerts ? { alerts } : {}), streams: destinations, connection: { name: sync } }
  return judgeConditions({ lasting: pushConditions(facts, definition), happened: [] }, { open, about, now: facts.now, redact })
}

interface Around {
  open: readonly AlertRow[]
  about: Subject
  now: string
  redact: Redact
}

function judgeConditions({ lasting, happened }: Conditions, { open, about: definition, now, redact }: Around): Verdict {
  const targets = (definition.alerts ?? []).map((target, targetIndex) => ({ target, targetIndex, name: targetName(target) }))
  const said: Said[] = []

  const keep = (condition: Condition, known: AlertRow | undefined): Kept => {
    const told: Record<string, { at: string; severity: AlertSeverity }> = { ...known?.told }
    const since = known && known.since < condition.since ? known.since : condition.since
    const kept = { ...condition, since, message: redact(condition.message).slice(0, longestMessage), told }
    for (const { target, targetIndex, name } of targets) {
      const event = eventOf(condition, target, told[name], now)
      if (!event) continue
      said.push({ target, targetIndex, event, about: kept })
      told[name] = { at: now, severity: condition.severity }
    }
    return kept
  }

  const stillOpen = lasting.map((condition) =>
    keep(
      condition,
      open.find((row) => isSame(row, condition)),
    ),
  )
  const notices = happened.map((condition) => keep(condition, undefined))
  const gone = open.filter((row) => !lasting.some((condition) => isSame(row, condition)))
  const resolved = gone.map((row) => ({ row, ...(isRead(row, definition) ? {} : { resolution: goneText(definition) }) }))
  for (const { row, resolution } of resolved) {
    const about = { ...row, message: `It was: ${row.message}${resolution === undefined ? '' : ` Now ${resolution}.`}` }
    // Two entries of one name are one receiver.
    for (const { target, targetIndex, name } of new Map(targets.map((one) => [one.name, one])).values())
      if (row.told[name]) said.push({ target, targetIndex, event: 'resolved', about })
  }
  return {
    open: stillOpen,
    notices,
    resolved: resolved.map(({ row: { id }, resolution }) => ({ id, ...(resolution === undefined ? {} : { resolution }) })),
    messages: grouped(said).map((group) => queued(group, definition, now)),
  }
}

const longestMessage = 1_000

const isSame = (row: AlertRow, { stream, kind }: Condition): boolean => row.stream === stream && row.kind === kind
const goneText = ({ sync }: Subject) => (isAudience(sync) ? 'nothing is pushed there any more' : 'the stream is no longer read')
const isRead = ({ stream }: AlertRow, { streams }: Subject): boolean => stream === '' || streams[stream] !== undefined

/** A change that waits for approval is a schema change, too; a check that blocks has failed the stream's run, too. */
export function hears({ on }: AlertTarget, { kind, severity }: Pick<Condition, 'kind' | 'severity'>): boolean {
  const implied: Partial<Record<AlertKind, AlertKind>> = {
    approval: 'schema_change',
    backfill: 'failed',
    ...(severity === 'error' ? { quality: 'failed' } : {}),
  }
  const other = implied[kind]
  return on.includes(kind) || (other !== undefined && on.includes(other))
}

function eventOf(condition: Condition, target: AlertTarget, told: Told[string] | undefined, now: string): AlertEvent | undefined {
  if (!hears(target, condition)) return undefined
  if (condition.waitMs !== undefined && condition.waitMs <= target.quotaWaitMs) return undefined
  if (!told) return 'opened'
  if (told.severity === 'warning' && condition.severity === 'error') return 'worsened'
  return Date.parse(now) - Date.parse(told.at) >= target.repeatMs ? 'repeated' : undefined
}

/** What a target hears at once of one kind, for one reason, is one message: fifty streams that fail by one dead account are one. */
function grouped(said: readonly Said[]): Said[][] {
  const groups = new Map<string, Said[]>()
  for (const one of said) {
    const { targetIndex, event, about } = one
    const key = JSON.stringify([targetIndex, event, about.kind, about.severity, event === 'resolved' ? '' : about.reason])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()]
}

function queued(group: readonly Said[], definition: Subject, now: string): Queued {
  const { target, targetIndex, event } = group[0]!
  const about = group.map((one) => one.about)
  return {
    target: targetName(target),
    targetIndex,
    streams: about.map(({ stream }) => stream),
    message: messageOf(about, event, definition, now),
  }
}
