/** What an hour brings after the sandbox has opened. An hour's happenings depend on the seed, the hour and what stood before. */

import { campaign, day, dealPipelines, hour, lists, segments } from './catalogue.js'
import type { Company } from './company.js'
import { Dice, place } from './dice.js'
import { activity, dealAt, ticketAt } from './history.js'
import { person } from './people.js'
import type { Edit, Happening, SuppressionReason } from './story.js'
import { countries, plans, titles } from './words.js'

/** Per hour, as share of the people at opening, and what a small company has at least. */
const rates = {
  joins: { share: 1 / 500 / 24, least: 1 / 12 },
  edits: { share: 1 / 50 / 24, least: 0.5 },
  acts: { share: 1 / 20 / 24, least: 1 },
  consents: { share: 1 / 400 / 24, least: 0.1 },
  archives: { share: 1 / 2000 / 24, least: 0.06 },
  restores: { share: 1 / 8000 / 24, least: 0.015 },
  deals: { share: 1 / 600 / 24, least: 0.1 },
  dealMoves: { share: 1 / 300 / 24, least: 0.2 },
  tickets: { share: 1 / 600 / 24, least: 0.1 },
  ticketMoves: { share: 1 / 300 / 24, least: 0.2 },
  memberships: { share: 1 / 200 / 24, least: 0.3 },
} as const

/** The happenings of the `n`-th hour after opening, in order of time. */
export function hourOf(company: Company, n: number): Happening[] {
  const { times, people, deals, tickets } = company
  const { seed, openedMs } = times
  const startMs = openedMs + n * hour
  const found: Happening[] = []
  const each = (what: keyof typeof rates, make: (dice: Dice, atMs: number, nth: number) => void) => {
    const rate = Math.max(rates[what].least, company.peopleAtOpening * rates[what].share)
    for (let nth = Math.floor(rate * n); nth < Math.floor(rate * (n + 1)); nth++) {
      const dice = new Dice(seed, place(what), nth)
      make(dice, startMs + dice.below(hour), nth)
    }
  }
  const someone = (dice: Dice) => dice.below(people.length)

  let newcomers = 0
  each('joins', (dice, atMs) => {
    const who = person(seed, people.length + newcomers++, atMs, false, openedMs, company.firms)
    found.push({ kind: 'joined', atMs, person: who, consent: { state: dice.chance(0.7) ? 'subscribed' : 'never', atMs } })
  })
  each('edits', (dice, atMs) => found.push({ kind: 'edited', atMs, person: someone(dice), ...edit(dice) }))
  let acts = 0
  each('acts', (dice, atMs) => {
    const late = dice.chance(0.08) ? 600_000 + dice.below(3 * day) : 0
    found.push({ kind: 'acted', atMs, activity: activity(times, company.activityCount + acts++, atMs - late, atMs, someone(dice)) })
  })
  each('consents', (dice, atMs) => {
    const reason = dice.pick<SuppressionReason>(['UNSUBSCRIBE', 'UNSUBSCRIBE', 'HARD_BOUNCE', 'SPAM_COMPLAINT'])
    const consent = dice.chance(0.4)
      ? { state: 'subscribed' as const, atMs }
      : { state: reason === 'UNSUBSCRIBE' ? ('unsubscribed' as const) : ('suppressed' as const), atMs, reason }
    found.push({ kind: 'consent', atMs, person: someone(dice), consent })
  })
  each('archives', (dice, atMs) => found.push({ kind: 'archived', atMs, person: someone(dice) }))
  each('restores', (dice, atMs) => {
    const gone = [...company.archived]
    if (gone.length > 0) found.push({ kind: 'restored', atMs, person: dice.pick(gone) })
  })
  each('deals', (_, atMs, nth) => found.push({ kind: 'deal', atMs, deal: dealAt(times, company.dealsAtOpening + nth, atMs, atMs, people) }))
  each('dealMoves', (dice, atMs) => {
    const deal = deals[dice.below(deals.length)]
    const stages = dealPipelines[deal?.pipeline ?? 0]?.stages ?? []
    if (deal !== undefined)
      found.push({
        kind: 'deal',
        atMs,
        deal: {
          ...deal,
          stage: Math.min(stages.length - 1, deal.stage + 1),
          amount: Math.round(deal.amount * 105) / 100,
          changedAtMs: atMs,
        },
      })
  })
  each('tickets', (_, atMs, nth) =>
    found.push({ kind: 'ticket', atMs, ticket: ticketAt(times, company.ticketsAtOpening + nth, atMs, atMs, people) }),
  )
  each('ticketMoves', (dice, atMs) => {
    const ticket = tickets[dice.below(tickets.length)]
    if (ticket !== undefined)
      found.push({ kind: 'ticket', atMs, ticket: { ...ticket, stage: Math.min(3, ticket.stage + 1), changedAtMs: atMs } })
  })
  each('memberships', (dice, atMs) => {
    const of = dice.chance(0.5) ? ('list' as const) : ('segment' as const)
    const group = dice.below((of === 'list' ? lists : segments).length - 1) // the last of each stays empty
    found.push({ kind: 'membership', atMs, of, group, person: someone(dice), member: dice.chance(0.75) })
  })
  for (const c of campaignsOf(company, startMs)) found.push(c)
  return found.sort((a, b) => a.atMs - b.atMs)
}

/** A campaign is heard of when it is drafted and again two hours after it was sent. */
function campaignsOf({ times: { seed, foundedMs } }: Company, startMs: number): Happening[] {
  const found: Happening[] = []
  const about = Math.floor((startMs - foundedMs) / (3.5 * day)) - 1
  for (let n = Math.max(0, about - 2); n < about + 5; n++) {
    const { createdAtMs, sendAtMs } = campaign(seed, foundedMs, n)
    for (const atMs of [createdAtMs, sendAtMs === null ? 0 : sendAtMs + 2 * hour]) {
      if (atMs >= startMs && atMs < startMs + hour) found.push({ kind: 'campaign', atMs, n })
    }
  }
  return found
}

export function edit(dice: Dice): Edit {
  const where = dice.pick(['email-tool', 'crm', 'both'] as const)
  switch (dice.below(4)) {
    case 0:
      return { field: 'title', value: dice.pick(titles), where }
    case 1:
      return { field: 'plan', value: dice.pick(plans), where }
    case 2:
      return { field: 'seats', value: 1 + dice.below(60), where }
    default:
      return { field: 'city', value: dice.pick(dice.pick(countries).cities)[0], where }
  }
}
