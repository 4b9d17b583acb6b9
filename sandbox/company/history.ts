/** The two years before the sandbox opened, as they stand on that day. */
import { campaign, day, dealPipelines, hour, type Metric, metricWeights } from './catalogue.js'
import { Dice, place, roll } from './dice.js'
import { type Person, person } from './people.js'
import type { Activity, Consent, Deal, SuppressionReason, Ticket } from './story.js'

export interface Times {
  seed: number
  foundedMs: number
  openedMs: number
}

export const historyDays = 730
const Joins = place('joins')
const Acts = place('acts')
const Consents = place('consents')
const Deals = place('deals')
const Tickets = place('tickets')

/** People in the order they came. A block in the middle came with one import, at one instant. */
export function peopleAtOpening({ seed, foundedMs, openedMs }: Times, count: number, firms: number): Person[] {
  const joined = (n: number) => foundedMs + Math.floor((openedMs - foundedMs) * ((n + roll(seed, Joins, n) * 0.9) / count) ** 0.8)
  const importFrom = Math.floor(count * 0.3)
  const importTo = Math.floor(count * 0.38)
  const importedAtMs = Math.floor(joined(importFrom) / 1000) * 1000
  return Array.from({ length: count }, (_, n) => {
    const imported = n >= importFrom && n < importTo
    return person(seed, n, imported ? importedAtMs : joined(n), imported, openedMs, firms)
  })
}

export function consentAt(seed: number, who: Person, untilMs: number): Consent {
  const dice = new Dice(seed, Consents, who.n)
  const atMs = who.joinedAtMs + Math.floor((untilMs - who.joinedAtMs) * dice.next() * 0.9)
  const chance = dice.next()
  if (chance < 0.62) return { state: 'subscribed', atMs: who.joinedAtMs }
  if (chance < 0.86 || who.email === null) return { state: 'never', atMs: who.joinedAtMs }
  if (chance < 0.94) return { state: 'unsubscribed', atMs, reason: 'UNSUBSCRIBE' }
  return {
    state: 'suppressed',
    atMs,
    reason: dice.pick<SuppressionReason>(['HARD_BOUNCE', 'SPAM_COMPLAINT', 'USER_SUPPRESSED', 'INVALID_EMAIL']),
  }
}

/** One activity: messages fall on the instant of the campaign before, so that many share it. */
export function activity(times: Times, n: number, atMs: number, recordedAtMs: number, who: number): Activity {
  const { seed, foundedMs } = times
  const dice = new Dice(seed, Acts, n)
  const metric = weighted(dice.next())
  const last = Math.max(0, Math.floor((atMs - foundedMs) / (3.5 * day)) - 1)
  const sent = campaign(seed, foundedMs, last)
  const ofCampaign = metric === 'Received Email' || metric === 'Opened Email' || metric === 'Clicked Email'
  const value =
    metric === 'Placed Order' || metric === 'Fulfilled Order' || metric === 'Refunded Order'
      ? Math.round(dice.next() ** 2 * 24_000 + 490) / 100
      : null
  const at = metric === 'Received Email' && recordedAtMs === atMs && sent.sendAtMs !== null && sent.sendAtMs <= atMs ? sent.sendAtMs : atMs
  return {
    n,
    atMs: at,
    recordedAtMs,
    person: who,
    metric,
    campaign: ofCampaign || (value !== null && dice.chance(0.3)) ? last : null,
    value,
  }
}

export function activitiesAtOpening(times: Times, count: number, people: readonly Person[]): Activity[] {
  const { seed, foundedMs, openedMs } = times
  return Array.from({ length: count }, (_, n) => {
    const atMs = foundedMs + Math.floor((openedMs - foundedMs) * ((n + roll(seed, Acts, n, 1)) / count) ** 0.8)
    // Whoever had joined by then: people stand in the order they came.
    const known = Math.max(1, Math.floor(people.length * ((atMs - foundedMs) / (openedMs - foundedMs)) ** 1.25 * 0.98))
    return activity(times, n, atMs, atMs, Math.floor(roll(seed, Acts, n, 2) ** 1.5 * known))
  })
}

export function dealAt({ seed }: Times, n: number, openedAtMs: number, changedAtMs: number, people: readonly Person[]): Deal {
  const dice = new Dice(seed, Deals, n)
  const who = dice.below(people.length)
  const pipeline = dice.chance(0.2) ? 1 : 0
  const stages = dealPipelines[pipeline]?.stages.length ?? 1
  const fresh = changedAtMs === openedAtMs
  return {
    n,
    person: who,
    firm: people[who]?.firm ?? null,
    pipeline,
    stage: fresh ? 0 : dice.below(stages),
    amount: Math.round(dice.next() ** 3 * 9_000_000) / 100,
    openedAtMs,
    changedAtMs,
  }
}

export function ticketAt({ seed }: Times, n: number, openedAtMs: number, changedAtMs: number, people: readonly Person[]): Ticket {
  const dice = new Dice(seed, Tickets, n)
  return { n, person: dice.below(people.length), stage: changedAtMs === openedAtMs ? 0 : dice.below(4), openedAtMs, changedAtMs }
}

/** `count` pairs of opening and last change within the history. */
export function spans({ seed, foundedMs, openedMs }: Times, what: string, count: number): { openedAtMs: number; changedAtMs: number }[] {
  const from = foundedMs + 30 * day
  return Array.from({ length: count }, (_, n) => {
    const dice = new Dice(seed, place(what), n, 9)
    const openedAtMs = from + Math.floor((openedMs - from) * ((n + dice.next()) / count))
    const changedAtMs = dice.chance(0.2) ? openedAtMs : Math.min(openedMs - hour, openedAtMs + Math.floor(dice.next() * 60 * day))
    return { openedAtMs, changedAtMs: Math.max(openedAtMs, changedAtMs) }
  })
}

function weighted(chance: number): Metric {
  let sum = 0
  for (const [metric, weight] of metricWeights) {
    sum += weight
    if (chance < sum) return metric
  }
  return 'Active on Site'
}
