/**
 * One company, the same for the same seed and instant. It opens with two years behind it and grows by the hour while the
 * clock goes on. Vendors listen to what happens; they never ask the company what it is now.
 */
import { hour } from './catalogue.js'
import { Dice, place } from './dice.js'
import { edit, hourOf } from './growth.js'
import { activitiesAtOpening, activity, consentAt, dealAt, historyDays, peopleAtOpening, spans, type Times, ticketAt } from './history.js'
import { type Person, person } from './people.js'
import type { Activity, Consent, Deal, Happening, Ticket } from './story.js'

export interface CompanyOptions {
  seed: number
  people: number
  /** The day from which it grows; not after the first look at it. */
  openedAt: Date
  activitiesPerPerson: number
}

export class Company {
  readonly times: Times
  readonly people: Person[]
  readonly consents: Consent[]
  /** Only those of the time before opening; later ones are told to listeners. */
  readonly activities: readonly Activity[]
  readonly deals: Deal[]
  readonly tickets: Ticket[]
  readonly archived = new Set<number>()
  readonly firms: number
  readonly peopleAtOpening: number
  readonly dealsAtOpening: number
  readonly ticketsAtOpening: number
  activityCount: number

  private readonly erased = new Set<number>()
  private readonly listeners: ((happening: Happening) => void)[] = []
  private pending: Happening[] = []
  private hoursTold = 0
  private strokes = 0
  private reachedMs: number

  constructor({ seed, people, openedAt, activitiesPerPerson }: CompanyOptions) {
    const openedMs = openedAt.getTime()
    this.times = { seed, foundedMs: openedMs - historyDays * 24 * hour, openedMs }
    this.reachedMs = openedMs
    this.firms = Math.max(5, Math.round(people / 20))
    this.peopleAtOpening = people
    this.people = peopleAtOpening(this.times, people, this.firms)
    this.consents = this.people.map((who) => consentAt(seed, who, openedMs))
    this.activities = activitiesAtOpening(this.times, Math.round(people * activitiesPerPerson), this.people)
    this.activityCount = this.activities.length
    this.deals = spans(this.times, 'deals', Math.max(5, Math.round(people / 10))).map(({ openedAtMs, changedAtMs }, n) =>
      dealAt(this.times, n, openedAtMs, changedAtMs, this.people),
    )
    this.tickets = spans(this.times, 'tickets', Math.max(5, Math.round(people / 12))).map(({ openedAtMs, changedAtMs }, n) =>
      ticketAt(this.times, n, openedAtMs, changedAtMs, this.people),
    )
    this.dealsAtOpening = this.deals.length
    this.ticketsAtOpening = this.tickets.length
    for (let n = 0; n < people; n++) if (new Dice(seed, place('gone'), n).chance(0.015)) this.archived.add(n)
  }

  /** Tells of all that happens from now on. What was before, a listener reads off the fields. */
  listen(listener: (happening: Happening) => void): void {
    this.listeners.push(listener)
  }

  /** Lets everything happen up to an instant. Cheap when nothing is due. */
  advanceTo(nowMs: number): void {
    while (true) {
      while (this.pending.length > 0 && (this.pending[0] as Happening).atMs <= nowMs) this.tell(this.pending.shift() as Happening)
      const nextHourMs = this.times.openedMs + this.hoursTold * hour
      if (this.pending.length > 0 || nextHourMs > nowMs) break
      this.pending = hourOf(this, this.hoursTold++)
    }
    this.reachedMs = Math.max(this.reachedMs, nowMs)
  }

  /** Many edits at one instant, the clock's: as a workflow or an import leaves them. Gives the people's numbers. */
  editMany(count: number, where: 'email-tool' | 'crm' | 'both' = 'both'): number[] {
    return this.stroke(Math.min(count, this.people.length), (dice, atMs, i) => {
      this.tell({ ...edit(dice), where, kind: 'edited', atMs, person: i })
      return i
    })
  }

  /** Many newcomers at one instant. */
  importPeople(count: number): number[] {
    return this.stroke(count, (_, atMs) => {
      const who = person(this.times.seed, this.people.length, atMs, true, this.times.openedMs, this.firms)
      this.tell({ kind: 'joined', atMs, person: who, consent: { state: 'never', atMs } })
      return who.n
    })
  }

  /** Activities that are recorded now and happened `agoMs` before; a negative one puts them into the future. */
  lateActivities(count: number, agoMs: number): number[] {
    return this.stroke(count, (dice, atMs) => {
      const late = activity(this.times, this.activityCount, atMs - agoMs, atMs, dice.below(this.people.length))
      this.tell({ kind: 'acted', atMs, activity: late })
      return late.n
    })
  }

  /** The first people who are in the CRM and not archived, archived now. */
  archiveMany(count: number): number[] {
    const standing = this.people.filter(({ n, inCrm }) => inCrm && !this.archived.has(n))
    return this.stroke(Math.min(count, standing.length), (_, atMs, i) => {
      const { n } = standing[i] as Person
      this.tell({ kind: 'archived', atMs, person: n })
      return n
    })
  }

  /** People who withdraw their consent now, those who had given it first. */
  unsubscribeMany(count: number): number[] {
    const subscribed = this.people.filter(({ n, inEmailTool }) => inEmailTool && this.consents[n]?.state === 'subscribed')
    return this.stroke(Math.min(count, subscribed.length), (_, atMs, i) => {
      const { n } = subscribed[i] as Person
      this.tell({ kind: 'consent', atMs, person: n, consent: { state: 'unsubscribed', atMs, reason: 'UNSUBSCRIBE' } })
      return n
    })
  }

  /** People deleted for good in every tool: no trace is left of them. Those at the end go first. */
  eraseMany(count: number): number[] {
    const standing = this.people.filter(({ n }) => !this.erased.has(n)).reverse()
    return this.stroke(Math.min(count, standing.length), (_, atMs, i) => {
      const { n } = standing[i] as Person
      this.erased.add(n)
      this.tell({ kind: 'erased', atMs, person: n })
      return n
    })
  }

  private stroke(count: number, make: (dice: Dice, atMs: number, i: number) => number): number[] {
    const dice = new Dice(this.times.seed, place('stroke'), this.strokes++)
    return Array.from({ length: count }, (_, i) => make(dice, this.reachedMs, i))
  }

  /** The company's own memory first, then everyone who listens. */
  private tell(happening: Happening): void {
    switch (happening.kind) {
      case 'joined':
        // Strokes may have come between: number and person are settled when it happens.
        if (happening.person.n !== this.people.length) {
          const { joinedAtMs, imported } = happening.person
          happening.person = person(this.times.seed, this.people.length, joinedAtMs, imported, this.times.openedMs, this.firms)
        }
        this.people.push(happening.person)
        this.consents.push(happening.consent)
        break
      case 'acted':
        happening.activity.n = this.activityCount++
        break
      case 'consent':
        this.consents[happening.person] = happening.consent
        break
      case 'archived':
        this.archived.add(happening.person)
        break
      case 'restored':
        this.archived.delete(happening.person)
        break
      case 'deal':
        if (happening.deal.n >= this.deals.length) happening.deal.n = this.deals.length
        this.deals[happening.deal.n] = happening.deal
        break
      case 'ticket':
        if (happening.ticket.n >= this.tickets.length) happening.ticket.n = this.tickets.length
        this.tickets[happening.ticket.n] = happening.ticket
        break
    }
    for (const listen of this.listeners) listen(happening)
  }
}
