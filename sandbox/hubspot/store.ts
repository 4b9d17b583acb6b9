/** The CRM's tables, filled from the company's past and kept up to date by what happens. */

import { broughtBy, utmOf } from '../company/ads.js'
import { day, dealPipelines, staff, ticketPipelines } from '../company/catalogue.js'
import type { Company } from '../company/company.js'
import { Dice, place, roll } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { firm, type Person } from '../company/people.js'
import type { Consent, Deal, Edit, Happening, Ticket } from '../company/story.js'
import { goods } from '../company/words.js'
import { Table } from '../kit/table.js'
import { type Around, aroundDeal, aroundTicket, type Made, product } from './around.js'
import { Associations } from './associations.js'
import { History } from './history.js'
import { definitions, extraName } from './properties.js'
import { iso, type ListRow, type MembershipRow, type ObjectRow, type OwnerRow, type PropertyRow } from './rows.js'
import { SearchIndex } from './search-index.js'
import { objectTypes, type TypeName } from './types.js'

const H = place('hubspot')

export interface StoreOptions {
  lagMs: number
  extraProperties: number
}

export class HubspotStore {
  readonly objects: Record<TypeName, Table<ObjectRow>>
  readonly searchable: Record<TypeName, SearchIndex>
  readonly properties: Map<TypeName, Map<string, PropertyRow>>
  readonly associations = new Associations()
  readonly history = new History()
  readonly owners: OwnerRow[]
  readonly lists = new Table<ListRow>((row) => Number(row.id))
  readonly memberships = new Map<string, Table<MembershipRow>>()

  private readonly seed: number

  constructor(
    readonly company: Company,
    readonly options: StoreOptions,
  ) {
    const { seed, foundedMs } = company.times
    this.seed = seed
    const each = <T>(make: (type: TypeName) => T) =>
      Object.fromEntries(objectTypes.map(({ name }) => [name, make(name)])) as Record<TypeName, T>
    this.objects = each(() => new Table<ObjectRow>((row) => Number(row.id)))
    this.searchable = each((type) => new SearchIndex(this.objects[type], seed, () => this.options.lagMs))
    this.properties = definitions(foundedMs, options.extraProperties)
    this.owners = staff.map(({ first, last, gone }, n) => ({
      id: this.ownerId(n),
      email: `${first}.${last}@shop.example`.toLowerCase(),
      firstName: first,
      lastName: last,
      userId: 1000 + n,
      createdMs: foundedMs,
      updatedMs: foundedMs + n * 30 * day,
      archived: gone,
    }))
    for (let n = 0; n < company.firms; n++) this.addFirm(n)
    for (let n = 0; n < goods.length; n++) this.keep(product(this.aroundId(n), n, foundedMs), foundedMs)
    for (const who of company.people) if (who.inCrm) this.addContact(who, company.consents[who.n] as Consent)
    for (const deal of company.deals) this.putDeal(deal)
    for (const ticket of company.tickets) this.putTicket(ticket)
    this.fillLists()
    company.listen((happening) => this.hear(happening))
  }

  /** Ids as old accounts have them: the first of few digits, the next of more, the newest of eleven. */
  id = (n: number, old: number) => (n < 40 ? 9 + n * 7 : n < old ? 15_100 + n * 13 : 30_123_456_789 + n * 17).toString()
  contactId = (n: number) => this.id(n, Math.floor(this.company.peopleAtOpening * 0.4))
  companyId = (n: number) => this.id(n, Math.floor(this.company.firms * 0.5))
  dealId = (n: number) => this.id(n, Math.floor(this.company.dealsAtOpening * 0.5))
  ticketId = (n: number) => this.id(n, Math.floor(this.company.ticketsAtOpening * 0.5))
  aroundId = (n: number) => this.id(n, 900)
  ownerId = (n: number) => String(n < 3 ? 51 + n : 77_000_000 + n)

  /** A row's new state, and when the search index will know it. */
  put(type: TypeName, row: ObjectRow, atMs: number): void {
    const before = this.objects[type].get(row.id)
    this.objects[type].put(row)
    this.history.changed(type, before, row)
    this.searchable[type].changed(before, row, atMs)
  }

  /** Something beside the company's own story: its links stand from the first time on. */
  private keep({ type, row, links }: Made, atMs: number): void {
    const isNew = this.objects[type].get(row.id) === undefined
    this.put(type, row, atMs)
    if (isNew) for (const [to, id] of links) this.associations.link(type, row.id, to, id, false)
  }

  private around(person: number, firmN: number | null, n: number): Around {
    const contact = this.objects.contacts.get(this.contactId(person))?.id
    const company = firmN === null ? undefined : this.companyId(firmN)
    return { seed: this.seed, id: this.aroundId, owner: this.ownerId(n % staff.length), contact, company }
  }

  private hear(happening: Happening): void {
    switch (happening.kind) {
      case 'joined':
        if (happening.person.inCrm) this.addContact(happening.person, happening.consent)
        return
      case 'edited':
        if (happening.where !== 'email-tool') this.change(happening.person, edited(happening), happening.atMs)
        return
      case 'consent':
        this.change(happening.person, { hs_email_optout: happening.consent.state === 'subscribed' ? 'false' : 'true' }, happening.atMs)
        return
      case 'archived':
      case 'restored':
        this.archive(happening.person, happening.kind === 'archived' ? happening.atMs : null, happening.atMs)
        return
      case 'erased':
        this.erase(happening.person)
        return
      case 'deal':
        this.putDeal(happening.deal)
        return
      case 'ticket':
        this.putTicket(happening.ticket)
        return
      case 'membership':
        this.moveMember(happening.group, happening.person, happening.member, happening.atMs)
    }
  }

  private change(person: number, properties: Record<string, string>, atMs: number): void {
    const row = this.objects.contacts.get(this.contactId(person))
    if (row === undefined || row.archivedMs !== null) return
    const updatedMs = Math.max(row.updatedMs, atMs)
    this.put('contacts', { ...row, properties: { ...row.properties, ...properties, lastmodifieddate: iso(updatedMs) }, updatedMs }, atMs)
  }

  private archive(person: number, archivedMs: number | null, atMs: number): void {
    const row = this.objects.contacts.get(this.contactId(person))
    const stands = (row?.archivedMs ?? null) === null
    if (row !== undefined && stands !== (archivedMs === null))
      this.put('contacts', { ...row, archivedMs, properties: { ...row.properties, lastmodifieddate: iso(atMs) }, updatedMs: atMs }, atMs)
  }

  /** Erasing leaves no tombstone. */
  private erase(person: number): void {
    const id = this.contactId(person)
    this.objects.contacts.delete(id)
    this.associations.forget('contacts', id)
    for (const table of this.memberships.values()) table.delete(id)
  }

  private addContact(who: Person, consent: Consent): void {
    const dice = new Dice(this.seed, H, place('contact'), who.n)
    const id = this.contactId(who.n)
    const archived = this.company.archived.has(who.n)
    const updatedMs = who.editedAtMs
    const plan = dice.chance(0.1) ? null : who.plan
    const properties: Record<string, string | null> = {
      hs_object_id: id,
      createdate: iso(who.joinedAtMs),
      lastmodifieddate: iso(updatedMs),
      email: who.crmEmail,
      firstname: dice.chance(0.05) ? null : who.first,
      lastname: dice.chance(0.05) ? null : who.last,
      phone: who.phone === null ? null : dice.chance(0.5) ? who.phone : who.phone.replace(/(\d{2})(?=\d)/g, '$1 '),
      jobtitle: who.title,
      company: who.firm === null ? null : firm(this.seed, who.firm).name,
      city: who.city[0],
      country: who.country.name,
      lifecyclestage: dice.pick(['subscriber', 'lead', 'opportunity', 'customer']),
      hubspot_owner_id: dice.chance(0.3) ? null : this.ownerId(dice.below(staff.length)),
      hs_email_optout: consent.state === 'unsubscribed' || consent.state === 'suppressed' ? 'true' : 'false',
      num_notes: String(dice.below(9)),
      associatedcompanyid: who.firm === null ? null : this.companyId(who.firm),
      total_revenue: dice.chance(0.6) ? null : (dice.below(500_000) / 100).toFixed(2),
      external_id: dice.chance(0.5) ? `u-${who.n}` : null,
      plan,
      // Declared a number; people wrote otherwise.
      seats: dice.chance(0.03) ? 'N/A' : dice.chance(0.05) ? '' : String(who.seats),
      opted_in: dice.chance(0.2) ? '' : String(dice.chance(0.6)),
      birthday: dice.chance(0.7) ? null : iso(Date.UTC(1960 + dice.below(45), dice.below(12), 1 + dice.below(28))).slice(0, 10),
      interests: who.interests.join(';'),
      // Dates with and without milliseconds.
      last_demo_at: dice.chance(0.7) ? null : dice.chance(0.5) ? iso(who.joinedAtMs + day) : `${iso(who.joinedAtMs + day).slice(0, 19)}Z`,
      order: dice.chance(0.8) ? null : dice.pick(['first', '"quoted", with comma', 'line\nbreak', "O'Neil; DROP TABLE", 'emoji 🐈‍⬛']),
      legacy_kundennr_2: dice.chance(0.5) ? null : `0${dice.below(99_999)}`,
      n2024_survey_score: dice.chance(0.9) ? null : (dice.below(100) / 10).toFixed(1),
      ...broughtWith(this.company.times, who),
    }
    for (let i = 0; i < this.options.extraProperties; i++) if (roll(this.seed, H, who.n, i) < 0.1) properties[extraName(i)] = `value ${i}`
    this.put(
      'contacts',
      { id, properties, createdMs: who.joinedAtMs, updatedMs, archivedMs: archived ? updatedMs + 60_000 : null },
      updatedMs,
    )
    if (who.firm !== null) this.associations.link('contacts', id, 'companies', this.companyId(who.firm), true)
  }

  private addFirm(n: number): void {
    const { foundedMs, openedMs } = this.company.times
    const dice = new Dice(this.seed, H, place('firm'), n)
    const it = firm(this.seed, n)
    const id = this.companyId(n)
    const createdMs = foundedMs + n * 60_000
    const updatedMs = createdMs + Math.floor((openedMs - createdMs) * dice.next())
    const properties = {
      hs_object_id: id,
      name: it.name,
      domain: dice.chance(0.05) ? null : it.domain,
      industry: dice.chance(0.2) ? null : it.industry,
      country: it.country,
      numberofemployees: dice.chance(0.1) ? 'N/A' : String(it.employees),
      hubspot_owner_id: this.ownerId(dice.below(staff.length)),
      createdate: iso(createdMs),
      hs_lastmodifieddate: iso(updatedMs),
      description: dice.chance(0.5) ? null : `Supplier of the year.\n“${it.name}” – since 19${10 + dice.below(89)}.`,
      customer_tier: dice.pick(['A', 'B', 'C', null]),
      contract_value: dice.chance(0.4) ? null : String(dice.below(10_000_000) / 100),
    }
    this.put('companies', { id, properties, createdMs, updatedMs, archivedMs: null }, updatedMs)
  }

  private putDeal(deal: Deal): void {
    const id = this.dealId(deal.n)
    const pipeline = dealPipelines[deal.pipeline] ?? dealPipelines[0]
    const stage = pipeline?.stages[deal.stage]
    const known = this.objects.deals.get(id)
    const dice = new Dice(this.seed, H, place('deal'), deal.n)
    const firmName = deal.firm === null ? 'Private' : firm(this.seed, deal.firm).name
    const properties = {
      hs_object_id: id,
      dealname: `${firmName} – ${dice.pick(['annual', 'pilot', 'restock', 'Geschenkboxen'])}`,
      pipeline: pipeline?.id ?? null,
      dealstage: stage?.id ?? null,
      amount: dice.chance(0.08) ? null : deal.amount.toFixed(2),
      amount_in_home_currency: deal.amount.toFixed(2),
      deal_currency_code: 'EUR',
      closedate: stage?.closed ? iso(deal.changedAtMs) : null,
      hubspot_owner_id: this.ownerId(dice.below(staff.length)),
      createdate: iso(deal.openedAtMs),
      hs_lastmodifieddate: iso(deal.changedAtMs),
      hs_is_closed_won: String(stage?.probability === 1),
      source_campaign: dice.chance(0.4) ? `campaign-${dice.below(200)}` : null,
      probability_note: null,
    }
    this.put('deals', { id, properties, createdMs: deal.openedAtMs, updatedMs: deal.changedAtMs, archivedMs: null }, deal.changedAtMs)
    for (const one of aroundDeal(deal, id, this.around(deal.person, deal.firm, deal.n))) this.keep(one, deal.changedAtMs)
    if (known !== undefined) return
    if (this.objects.contacts.get(this.contactId(deal.person)) !== undefined)
      this.associations.link('deals', id, 'contacts', this.contactId(deal.person), false)
    if (deal.firm !== null) this.associations.link('deals', id, 'companies', this.companyId(deal.firm), true)
  }

  private putTicket(ticket: Ticket): void {
    const id = this.ticketId(ticket.n)
    const known = this.objects.tickets.get(id)
    const dice = new Dice(this.seed, H, place('ticket'), ticket.n)
    const pipeline = ticketPipelines[0]
    const properties = {
      hs_object_id: id,
      subject: dice.pick(['Where is my parcel?', 'Rückgabe', 'Broken mug', 'Facture manquante', '', 'サイズについて']),
      content: dice.chance(0.2) ? null : 'Hello,\n\nplease help.\n\tThanks',
      hs_pipeline: pipeline?.id ?? null,
      hs_pipeline_stage: pipeline?.stages[ticket.stage]?.id ?? null,
      hs_ticket_priority: dice.pick(['LOW', 'MEDIUM', 'HIGH', null]),
      hs_ticket_category: dice.pick(['GENERAL_INQUIRY', 'PRODUCT_ISSUE', null]),
      hubspot_owner_id: this.ownerId(dice.below(staff.length)),
      createdate: iso(ticket.openedAtMs),
      hs_lastmodifieddate: iso(ticket.changedAtMs),
      csat: dice.chance(0.7) ? null : dice.chance(0.1) ? 'N/A' : String(1 + dice.below(5)),
    }
    this.put(
      'tickets',
      { id, properties, createdMs: ticket.openedAtMs, updatedMs: ticket.changedAtMs, archivedMs: null },
      ticket.changedAtMs,
    )
    for (const one of aroundTicket(ticket, id, this.around(ticket.person, null, ticket.n))) this.keep(one, ticket.changedAtMs)
    if (known === undefined && this.objects.contacts.get(this.contactId(ticket.person)) !== undefined)
      this.associations.link('tickets', id, 'contacts', this.contactId(ticket.person), false)
  }

  private fillLists(): void {
    const { foundedMs, openedMs } = this.company.times
    const kinds = [
      ['Newsletter (manual)', 'MANUAL', 0.5],
      ['Customers', 'DYNAMIC', 0.25],
      ['Trade fair 2026', 'SNAPSHOT', 0.05],
      ['Gold & platinum', 'DYNAMIC', 0.3],
      ['Empty', 'MANUAL', 0],
    ] as const
    for (const [n, [name, processingType, share]] of kinds.entries()) {
      const id = String(n < 2 ? n + 8 : 100 + n)
      this.lists.put({ id, name, objectTypeId: '0-1', processingType, createdMs: foundedMs + n * day, updatedMs: foundedMs + n * 20 * day })
      const table = new Table<MembershipRow>((row) => Number(row.id))
      this.memberships.set(id, table)
      for (const { n: who, joinedAtMs, inCrm } of this.company.people) {
        if (!inCrm || this.company.archived.has(who) || roll(this.seed, H, place('member'), n, who) >= share) continue
        table.put({
          id: this.contactId(who),
          joinedMs: joinedAtMs + Math.floor((openedMs - joinedAtMs) * roll(this.seed, H, place('member'), n, who, 1)),
        })
      }
    }
  }

  private moveMember(group: number, person: number, member: boolean, atMs: number): void {
    const list = [...this.memberships.keys()][group % (this.memberships.size - 1)] as string
    const id = this.contactId(person)
    const table = this.memberships.get(list)
    if (table === undefined || this.objects.contacts.get(id) === undefined) return
    if (!member) table.delete(id)
    else if (table.get(id) === undefined) table.put({ id, joinedMs: atMs })
  }
}

function edited({ field, value }: Edit): Record<string, string> {
  return { [field === 'title' ? 'jobtitle' : field]: String(value) }
}

/** The source of a person, in the vendor's words, and the parameters of the link that brought them. */
function broughtWith(times: Times, who: Person): Record<string, string | null> {
  const ad = broughtBy(times, who)
  if (ad === undefined) {
    const source = who.n % 2 === 0 ? 'ORGANIC_SEARCH' : 'DIRECT_TRAFFIC'
    return { hs_analytics_source: source, hs_analytics_source_data_1: null, hs_analytics_source_data_2: null }
  }
  const isSocial = ad.network === 'meta'
  return {
    hs_analytics_source: isSocial ? 'PAID_SOCIAL' : ad.kind === 'display' ? 'OTHER_CAMPAIGNS' : 'PAID_SEARCH',
    // Of social networks the first detail is the network, of searches the campaign.
    hs_analytics_source_data_1: isSocial ? 'Facebook' : ad.slug,
    hs_analytics_source_data_2: isSocial ? ad.slug : ad.kind,
    ...utmOf(ad),
  }
}
