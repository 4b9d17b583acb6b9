/** Records of the org, each made from the company's own: firms are accounts, people leads or contacts, deals opportunities. */
import { adCampaigns, broughtBy, runs, utmOf } from '../company/ads.js'
import type { Stage } from '../company/catalogue.js'
import { staff } from '../company/catalogue.js'
import type { Company } from '../company/company.js'
import { Dice, place } from '../company/dice.js'
import { firm, type Person } from '../company/people.js'
import type { Activity, Deal, Edit, Ticket } from '../company/story.js'
import { idOf } from './ids.js'
import { type Cell, day, type Row, second } from './rows.js'
import { wideFields } from './schema.js'

const S = place('salesforce')
const dayMs = 86_400_000
type Cells = Record<string, Cell>

export class Making {
  private readonly seed: number

  constructor(private readonly company: Company) {
    this.seed = company.times.seed
  }

  accountId = (n: number) => idOf('001', n)
  userId = (n: number) => idOf('005', n)
  opportunityId = (n: number) => idOf('006', n)
  memberId = (person: number) => idOf('00v', person)
  personId = (name: 'Contact' | 'Lead', person: number) => idOf(name === 'Contact' ? '003' : '00Q', person)
  private campaignId = (n: number) => idOf('701', n)

  private dice = (what: string, n: number) => new Dice(this.seed, S, place(what), n)
  private owner = (dice: Dice) => this.userId(dice.below(staff.length))

  /** Whose sales are sold to: four people of five. Those of a firm are its contacts, all others leads. */
  placeOf(n: number): 'Contact' | 'Lead' | undefined {
    const who = this.company.people[n]
    if (who === undefined || this.dice('place', n).chance(0.2)) return undefined
    return who.firm === null ? 'Lead' : 'Contact'
  }

  /** Half of the contacts began as a lead, which stays and says what became of it. */
  wasLead = (n: number): boolean => this.dice('was lead', n).chance(0.5)

  private row(id: string, createdMs: number, changedMs: number, dice: Dice, cells: Cells): Row {
    const at = second(Math.max(createdMs, changedMs))
    // Now and then the system touches a record without anybody's edit.
    const stampMs = dice.chance(0.1) ? Math.min(second(this.company.times.openedMs), at + dice.below(40) * dayMs) : at
    return {
      id,
      cells: { ...cells, CreatedById: this.userId(0), LastModifiedById: this.userId(1) },
      createdMs: second(createdMs),
      modifiedMs: at,
      stampMs: Math.max(at, stampMs),
      deletedMs: null,
    }
  }

  users(): Row[] {
    const { foundedMs } = this.company.times
    return staff.map(({ first, last, gone }, n) => {
      const dice = this.dice('user', n)
      return this.row(this.userId(n), foundedMs, foundedMs + n * 40 * dayMs, dice, {
        Username: `${first}.${last}@shop.example`.toLowerCase(),
        FirstName: first,
        LastName: last,
        Email: `${first}.${last}@shop.example`.toLowerCase(),
        IsActive: !gone,
        ProfileId: idOf('00e', 0),
        ManagerId: n === 0 ? null : this.userId(0),
        City: 'Berlin',
        Country: 'Germany',
        LastLoginDate: gone ? null : second(foundedMs + n * 40 * dayMs),
        // An empty text in REST, where Bulk has an empty cell.
        BadgeText: '',
      })
    })
  }

  campaigns(): Row[] {
    const { times } = this.company
    return adCampaigns.map((one) => {
      const { fromMs, toMs } = runs(times, one)
      const isOver = toMs < times.openedMs
      const days = Math.round((Math.min(toMs, times.openedMs) - fromMs) / dayMs)
      return this.row(this.campaignId(one.n), fromMs - dayMs, isOver ? toMs : fromMs, this.dice('campaign', one.n), {
        Name: one.name,
        Type: 'Advertisement',
        Status: isOver ? 'Completed' : 'In Progress',
        StartDate: day(fromMs),
        EndDate: Number.isFinite(toMs) ? day(toMs) : null,
        IsActive: !isOver,
        BudgetedCost: one.dailyBudget * days,
        ExpectedRevenue: one.dailyBudget * days * 4,
        OwnerId: this.userId(one.account),
        UTM_Campaign__c: one.slug,
      })
    })
  }

  memberStatuses(): Row[] {
    const { openedMs } = this.company.times
    return adCampaigns.flatMap(({ n }) =>
      ['Sent', 'Responded'].map((Label, i) =>
        this.row(idOf('01Y', n * 2 + i), openedMs - 30 * dayMs, 0, this.dice('status', n), {
          CampaignId: this.campaignId(n),
          Label,
          SortOrder: i + 1,
          IsDefault: i === 0,
          HasResponded: i === 1,
        }),
      ),
    )
  }

  account(n: number): Row {
    const { foundedMs, openedMs } = this.company.times
    const dice = this.dice('account', n)
    const it = firm(this.seed, n)
    const createdMs = foundedMs + n * 3_600_000
    return this.row(this.accountId(n), createdMs, createdMs + Math.floor((openedMs - createdMs) * dice.next()), dice, {
      Name: it.name,
      Type: dice.pick(['Customer', 'Prospect', 'Partner', null]),
      BillingStreet: dice.chance(0.3) ? null : `Hauptstraße ${1 + dice.below(90)}\r\nHinterhaus`,
      BillingCity: dice.chance(0.2) ? null : 'Köln',
      BillingCountry: it.country,
      Website: `https://www.${it.domain}`,
      Industry: it.industry,
      AnnualRevenue: dice.chance(0.3) ? null : dice.below(9_000_000) * 1000,
      NumberOfEmployees: it.employees,
      Description: dice.chance(0.5) ? null : `Supplier, "A" rated.\nSince 19${10 + dice.below(89)}; see notes, page 3.`,
      OwnerId: this.owner(dice),
      LastActivityDate: dice.chance(0.5) ? null : day(openedMs - dice.below(200) * dayMs),
      AccountSource: dice.pick(['Web', 'Partner', null]),
      HQ__Latitude__s: dice.chance(0.5) ? null : Math.round(dice.next() * 5e6) / 1e5,
      HQ__Longitude__s: dice.chance(0.5) ? null : -Math.round(dice.next() * 5e6) / 1e5,
      // "NA" is a name here, no null.
      Ext_Key__c: n === 3 ? 'NA' : `F-${String(n).padStart(5, '0')}`,
      Contract_Number__c: dice.below(9_000_000),
    })
  }

  attachment(n: number): Row {
    const { openedMs } = this.company.times
    return this.row(idOf('00P', n), openedMs - n * dayMs, 0, this.dice('attachment', n), {
      ParentId: this.accountId(n),
      Name: `contract-${n}.pdf`,
      BodyLength: 1000 + n,
      Body: `/services/data/v68.0/sobjects/Attachment/${idOf('00P', n)}/Body`,
    })
  }

  survey(n: number): Row {
    const dice = this.dice('survey', n)
    const cells: Cells = { Name: `Survey ${n}` }
    for (let i = 1; i <= wideFields; i++)
      if (dice.chance(0.2))
        cells[`Answer_to_the_yearly_survey_question_${String(i).padStart(3, '0')}__c`] = (i - 1) % 7 === 3 ? dice.below(10) : `answer ${i}`
    return this.row(idOf('a02', n), this.company.times.openedMs - n * dayMs, 0, dice, cells)
  }

  private utm(who: Person): Cells {
    const campaign = broughtBy(this.company.times, who)
    if (campaign === undefined) return {}
    const { utm_source, utm_medium, utm_campaign } = utmOf(campaign)
    return { UTM_Source__c: utm_source, UTM_Medium__c: utm_medium, UTM_Campaign__c: utm_campaign }
  }

  /** The vendor trims an address and checks its form; how it is written is left alone. */
  private email(who: Person, dice: Dice): string | null {
    if (who.email === null) return null
    const [name = '', host = ''] = who.email.split('@')
    return dice.pick([
      who.email,
      who.email,
      who.email.toUpperCase(),
      `${name[0]?.toUpperCase()}${name.slice(1)}@${host}`,
      `${name}+sf@${host}`,
    ])
  }

  private common(who: Person, dice: Dice): Cells {
    const consent = this.company.consents[who.n]
    return {
      FirstName: who.first,
      LastName: who.last,
      Email: this.email(who, dice),
      Phone: who.phone === null ? null : dice.chance(0.5) ? who.phone : `${who.phone.slice(0, 3)} (0)${who.phone.slice(3)}`,
      Title: who.title,
      LeadSource: dice.pick(['Web', 'Trade Show', 'Other', null]),
      HasOptedOutOfEmail: consent?.state === 'unsubscribed' || consent?.state === 'suppressed',
      OwnerId: this.owner(dice),
      ...this.utm(who),
    }
  }

  contact(n: number): Row {
    const who = this.company.people[n] as Person
    const dice = this.dice('contact', n)
    return this.row(this.personId('Contact', n), who.joinedAtMs, who.editedAtMs, dice, {
      ...this.common(who, dice),
      AccountId: who.firm === null ? null : this.accountId(who.firm),
      MailingStreet: dice.chance(0.4) ? null : `1 "Main" St,\nApt. ${dice.below(40)}`,
      MailingCity: who.city[0],
      MailingPostalCode: who.city[4],
      MailingCountry: who.country.name,
      MailingLatitude: who.city[2],
      MailingLongitude: who.city[3],
      MobilePhone: null,
      DoNotCall: dice.chance(0.1),
      EmailBouncedReason: dice.chance(0.03) ? 'bounced' : null,
      Plan__c: who.plan,
      Seats__c: who.seats,
      Interests__c: who.interests.length === 0 ? null : who.interests.join(';'),
      Notes__c: dice.chance(0.7) ? null : dice.pick(['=1+1', "O'Neil; DROP TABLE", 'emoji 🐈‍⬛', 'N/A', 'null', 'a,b\t"c"']),
    })
  }

  lead(n: number, isConverted: boolean): Row {
    const who = this.company.people[n] as Person
    const dice = this.dice('lead', n)
    const convertedMs = Math.max(who.joinedAtMs, Math.min(who.joinedAtMs + 12 * dayMs, this.company.times.openedMs))
    return this.row(this.personId('Lead', n), who.joinedAtMs, isConverted ? convertedMs : who.editedAtMs, dice, {
      ...this.common(who, dice),
      Company: who.firm === null ? 'Private' : firm(this.seed, who.firm).name,
      City: who.city[0],
      PostalCode: who.city[4],
      Country: who.country.name,
      Status: isConverted ? 'Closed - Converted' : dice.pick(['Open - Not Contacted', 'Working - Contacted', 'Closed - Not Converted']),
      Rating: dice.pick(['Hot', 'Warm', 'Cold', null]),
      IsConverted: isConverted,
      ConvertedDate: isConverted ? day(convertedMs) : null,
      ConvertedContactId: isConverted ? this.personId('Contact', n) : null,
      ConvertedAccountId: isConverted && who.firm !== null ? this.accountId(who.firm) : null,
    })
  }

  /** Whoever an ad brought is a member of its campaign. */
  member(n: number): Row | undefined {
    const who = this.company.people[n] as Person
    const campaign = broughtBy(this.company.times, who)
    const name = this.placeOf(n)
    if (campaign === undefined || name === undefined) return undefined
    const dice = this.dice('member', n)
    const id = this.personId(name, n)
    const responded = dice.chance(0.6)
    return this.row(this.memberId(n), who.joinedAtMs + 60_000, 0, dice, {
      CampaignId: this.campaignId(campaign.n),
      [`${name}Id`]: id,
      LeadOrContactId: id,
      Status: responded ? 'Responded' : 'Sent',
      HasResponded: responded,
      FirstRespondedDate: responded ? day(who.joinedAtMs) : null,
    })
  }

  opportunity(deal: Deal, stage: Stage | undefined): Row {
    const dice = this.dice('opportunity', deal.n)
    const who = this.company.people[deal.person] as Person
    const campaign = broughtBy(this.company.times, who)
    const isWon = stage?.probability === 1
    return this.row(this.opportunityId(deal.n), deal.openedAtMs, deal.changedAtMs, dice, {
      AccountId: deal.firm === null ? null : this.accountId(deal.firm),
      Name: `${deal.firm === null ? 'Private' : firm(this.seed, deal.firm).name} – ${dice.pick(['annual', 'pilot', 'restock'])}`,
      StageName: stageName(stage),
      Amount: dice.chance(0.06) ? null : deal.amount,
      Probability: (stage?.probability ?? 0) * 100,
      CloseDate: day(stage?.closed ? deal.changedAtMs : deal.openedAtMs + 90 * dayMs),
      Type: deal.pipeline === 0 ? 'New Business' : 'Renewal',
      LeadSource: campaign === undefined ? 'Other' : 'Advertisement',
      IsClosed: stage?.closed ?? false,
      IsWon: isWon,
      ForecastCategory: isWon ? 'Closed' : stage?.closed ? 'Omitted' : 'Pipeline',
      CampaignId: campaign === undefined ? null : this.campaignId(campaign.n),
      OwnerId: this.owner(dice),
      ...this.utm(who),
    })
  }

  history(deal: Deal, n: number, stage: Stage | undefined, atMs: number): Row {
    return this.row(idOf('008', n === 0 ? deal.n : 1_000_000 + n), atMs, 0, this.dice('history', deal.n + n * 7919), {
      OpportunityId: this.opportunityId(deal.n),
      StageName: stageName(stage),
      Amount: deal.amount,
      Probability: (stage?.probability ?? 0) * 100,
      CloseDate: day(atMs + 90 * dayMs),
    })
  }

  role(deal: Deal): Row | undefined {
    if (this.placeOf(deal.person) !== 'Contact') return undefined
    return this.row(idOf('00K', deal.n), deal.openedAtMs, 0, this.dice('role', deal.n), {
      OpportunityId: this.opportunityId(deal.n),
      ContactId: this.personId('Contact', deal.person),
      Role: 'Decision Maker',
      IsPrimary: true,
    })
  }

  /** The people of a deal, where sales know them. */
  private whoOf(deal: Deal): string | null {
    const name = this.placeOf(deal.person)
    return name === undefined ? null : this.personId(name, deal.person)
  }

  task(deal: Deal, i: number): Row {
    const dice = this.dice('task', deal.n * 2 + i)
    const atMs = deal.openedAtMs + i * dayMs
    // Closed tasks of more than a year ago are archived: an ordinary query does not show them.
    const isArchived = atMs < this.company.times.openedMs - 365 * dayMs
    return this.row(idOf('00T', deal.n * 2 + i), deal.openedAtMs, 0, dice, {
      WhoId: this.whoOf(deal),
      WhatId: this.opportunityId(deal.n),
      Subject: dice.pick(['Call', 'Send quote', 'Rückruf', 'Follow up: "samples"']),
      ActivityDate: day(atMs),
      Status: isArchived || dice.chance(0.6) ? 'Completed' : 'Not Started',
      Priority: dice.pick(['High', 'Normal']),
      TaskSubtype: dice.pick(['Call', 'Task']),
      IsClosed: isArchived,
      IsArchived: isArchived,
      Description: dice.chance(0.8) ? null : 'left voicemail,\nno answer',
      OwnerId: this.owner(dice),
    })
  }

  event(deal: Deal): Row {
    const dice = this.dice('event', deal.n)
    const startMs = second(deal.openedAtMs + 7 * dayMs)
    return this.row(idOf('00U', deal.n), deal.openedAtMs, 0, dice, {
      WhoId: this.whoOf(deal),
      WhatId: this.opportunityId(deal.n),
      Subject: 'Meeting',
      StartDateTime: startMs,
      EndDateTime: startMs + 3_600_000,
      IsAllDayEvent: false,
      IsArchived: false,
      OwnerId: this.owner(dice),
    })
  }

  case(ticket: Ticket, stage: Stage | undefined): Row {
    const dice = this.dice('case', ticket.n)
    const name = this.placeOf(ticket.person)
    return this.row(idOf('500', ticket.n), ticket.openedAtMs, ticket.changedAtMs, dice, {
      ContactId: name === 'Contact' ? this.personId(name, ticket.person) : null,
      CaseNumber: String(ticket.n + 1000).padStart(8, '0'),
      Subject: dice.pick(['Where is my parcel?', 'Rückgabe', 'サイズについて']),
      Description: 'Hello,\n\nplease help.\n\tThanks',
      Status: stage?.closed ? 'Closed' : 'Working',
      Priority: dice.pick(['High', 'Medium', 'Low']),
      Origin: dice.pick(['Web', 'Email', 'Phone']),
      IsClosed: stage?.closed ?? false,
      ClosedDate: stage?.closed ? second(ticket.changedAtMs) : null,
      OwnerId: this.owner(dice),
    })
  }

  shipment({ n, person, atMs, recordedAtMs, value }: Activity): Row {
    const dice = this.dice('shipment', n)
    return this.row(idOf('a01', n), recordedAtMs, 0, dice, {
      Name: `SHP-${String(n).padStart(6, '0')}`,
      Contact__c: this.placeOf(person) === 'Contact' ? this.personId('Contact', person) : null,
      Carrier__c: dice.pick(['DHL', 'UPS', 'La Poste']),
      Shipped_On__c: day(atMs),
      Weight__c: Math.round(dice.next() * 9000) / 1000,
      Value__c: value,
      Is_Gift__c: dice.chance(0.1),
    })
  }

  /** What an edit of a person changes in the org. */
  edited(name: 'Contact' | 'Lead', { field, value }: Edit): Cells | undefined {
    if (field === 'title') return { Title: value }
    if (field === 'city') return { [name === 'Contact' ? 'MailingCity' : 'City']: value }
    if (name === 'Lead') return undefined
    return field === 'plan' ? { Plan__c: value } : { Seats__c: value }
  }
}

const stageName = (stage: Stage | undefined): string => {
  if (stage?.closed) return stage.probability === 1 ? 'Closed Won' : 'Closed Lost'
  const chance = stage?.probability ?? 0
  return chance < 0.3 ? 'Prospecting' : chance < 0.6 ? 'Qualification' : chance < 0.85 ? 'Proposal' : 'Negotiation'
}
