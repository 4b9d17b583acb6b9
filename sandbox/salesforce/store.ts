/** The org's tables, filled from the company's past and kept up to date by what happens. */
import { dealPipelines, ticketPipelines } from '../company/catalogue.js'
import type { Company } from '../company/company.js'
import { roll } from '../company/dice.js'
import type { Happening } from '../company/story.js'
import { Table } from '../kit/table.js'
import { Making } from './making.js'
import { type Cell, type Row, second } from './rows.js'
import { objects, type SObject } from './schema.js'

/** A record that is gone for good, as the log of deletions keeps it. */
export interface Tombstone {
  id: string
  deletedMs: number
}

const dayMs = 86_400_000

export class SalesforceStore {
  readonly schema: Map<string, SObject> = objects()
  readonly tables = new Map<string, Table<Row>>()
  /** What was deleted, of each object: bin and beyond. */
  readonly graves = new Map<string, Tombstone[]>()
  readonly making: Making

  constructor(private readonly company: Company) {
    for (const name of this.schema.keys()) {
      this.tables.set(name, new Table<Row>())
      this.graves.set(name, [])
    }
    this.making = new Making(company)
    const { making } = this
    for (const row of making.users()) this.put('User', row)
    for (const row of making.campaigns()) this.put('Campaign', row)
    for (const row of making.memberStatuses()) this.put('CampaignMemberStatus', row)
    for (let n = 0; n < company.firms; n++) this.put('Account', making.account(n))
    for (let n = 0; n < Math.min(10, company.firms); n++) this.put('Attachment', making.attachment(n))
    for (let n = 0; n < 40; n++) this.put('Survey__c', making.survey(n))
    for (const { n } of company.people) this.addPerson(n)
    for (const deal of company.deals) this.putDeal(deal.n)
    for (const { n } of company.tickets) this.putTicket(n)
    for (const activity of company.activities) if (activity.metric === 'Fulfilled Order') this.addShipment(activity)
    company.listen((happening) => this.hear(happening))
  }

  table(name: string): Table<Row> {
    return this.tables.get(name) as Table<Row>
  }

  put(name: string, row: Row | undefined): void {
    if (row !== undefined) this.table(name).put(row)
  }

  /** Into the bin, and out of it. Both are changes that SystemModstamp shows. */
  remove(name: string, id: string, atMs: number): void {
    const row = this.table(name).get(id)
    if (row === undefined || row.deletedMs !== null) return
    const stampMs = second(atMs)
    this.put(name, { ...row, stampMs, deletedMs: stampMs })
    this.graves.get(name)?.push({ id, deletedMs: stampMs })
  }

  restore(name: string, id: string, atMs: number): void {
    const row = this.table(name).get(id)
    if (row === undefined || row.deletedMs === null) return
    this.put(name, { ...row, stampMs: second(atMs), deletedMs: null })
    this.dig(name, id)
  }

  /** Gone from the bin, too: only the log of deletions knows it. */
  erase(name: string, id: string, atMs: number): void {
    if (this.table(name).get(id) === undefined) return
    this.table(name).delete(id)
    this.dig(name, id)
    this.graves.get(name)?.push({ id, deletedMs: second(atMs) })
  }

  private dig(name: string, id: string): void {
    this.graves.set(
      name,
      (this.graves.get(name) ?? []).filter((grave) => grave.id !== id),
    )
  }

  /** One account takes the place of another: the loser is deleted and says who took over. */
  merge(winner: string, loser: string, atMs: number): void {
    const row = this.table('Account').get(loser)
    if (row === undefined) return
    this.put('Account', { ...row, cells: { ...row.cells, MasterRecordId: winner } })
    this.remove('Account', loser, atMs)
  }

  /** A person's edit of one record. */
  change(name: string, id: string, cells: Record<string, Cell>, atMs: number): void {
    const row = this.table(name).get(id)
    if (row === undefined || row.deletedMs !== null) return
    const at = Math.max(row.stampMs, second(atMs))
    this.put(name, { ...row, cells: { ...row.cells, ...cells }, modifiedMs: at, stampMs: at })
  }

  private addPerson(n: number): void {
    const { making, company } = this
    const where = making.placeOf(n)
    if (where === undefined) return
    const row = where === 'Contact' ? making.contact(n) : making.lead(n, false)
    this.put(where, row)
    if (where === 'Contact' && making.wasLead(n)) this.put('Lead', making.lead(n, true))
    this.put('CampaignMember', making.member(n))
    if (!company.archived.has(n)) return
    // Deleted before the sandbox opened, some so long ago that the bin is empty again.
    const { seed, openedMs } = company.times
    const atMs = Math.max(row.stampMs, openedMs - Math.floor(roll(seed, n, 77) * 30 * dayMs))
    this.remove(where, row.id, atMs)
    this.remove('CampaignMember', making.memberId(n), atMs)
  }

  private putDeal(n: number): void {
    const { company, making } = this
    const deal = company.deals[n]
    if (deal === undefined) return
    const stage = dealPipelines[deal.pipeline]?.stages[deal.stage]
    const before = this.table('Opportunity').get(making.opportunityId(n))
    const row = making.opportunity(deal, stage)
    this.put('Opportunity', row)
    if (before === undefined) {
      this.put('OpportunityHistory', making.history(deal, 0, dealPipelines[deal.pipeline]?.stages[0], deal.openedAtMs))
      this.put('OpportunityContactRole', making.role(deal))
      for (let i = 0; i < 2; i++) this.put('Task', making.task(deal, i))
      this.put('Event', making.event(deal))
    }
    if (deal.changedAtMs > deal.openedAtMs)
      this.put('OpportunityHistory', making.history(deal, this.table('OpportunityHistory').size, stage, deal.changedAtMs))
  }

  private putTicket(n: number): void {
    const ticket = this.company.tickets[n]
    if (ticket !== undefined) this.put('Case', this.making.case(ticket, ticketPipelines[0]?.stages[ticket.stage]))
  }

  private addShipment(activity: Parameters<Making['shipment']>[0]): void {
    this.put('Shipment__c', this.making.shipment(activity))
  }

  private hear(happening: Happening): void {
    const { making } = this
    const { atMs } = happening
    switch (happening.kind) {
      case 'joined':
        this.addPerson(happening.person.n)
        break
      case 'edited':
        if (happening.where === 'email-tool') break
        this.ofPerson(happening.person, (name, id) => {
          const cells = making.edited(name, happening)
          if (cells !== undefined) this.change(name, id, cells, atMs)
        })
        break
      case 'consent': {
        const HasOptedOutOfEmail = happening.consent.state !== 'subscribed'
        this.ofPerson(happening.person, (name, id) => this.change(name, id, { HasOptedOutOfEmail }, atMs))
        break
      }
      case 'archived':
        this.ofPerson(happening.person, (name, id) => this.remove(name, id, atMs))
        // Membership goes with the person, and comes back with them.
        this.remove('CampaignMember', making.memberId(happening.person), atMs)
        break
      case 'restored':
        this.ofPerson(happening.person, (name, id) => this.restore(name, id, atMs))
        this.restore('CampaignMember', making.memberId(happening.person), atMs)
        break
      case 'erased':
        for (const name of ['Contact', 'Lead'] as const) this.erase(name, making.personId(name, happening.person), atMs)
        this.erase('CampaignMember', making.memberId(happening.person), atMs)
        break
      case 'deal':
        this.putDeal(happening.deal.n)
        break
      case 'ticket':
        this.putTicket(happening.ticket.n)
        break
      case 'acted':
        if (happening.activity.metric === 'Fulfilled Order') this.addShipment(happening.activity)
    }
  }

  private ofPerson(n: number, act: (name: 'Contact' | 'Lead', id: string) => void): void {
    const name = this.making.placeOf(n)
    if (name !== undefined) act(name, this.making.personId(name, n))
  }
}
