/** What salespeople and support leave around a deal or a ticket: activities, goods and quotes, and a machine at some firms. */
import { day, dealPipelines } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Deal, Ticket } from '../company/story.js'
import { goods } from '../company/words.js'
import { iso, type ObjectRow } from './rows.js'
import type { TypeName } from './types.js'

export interface Made {
  type: TypeName
  row: ObjectRow
  /** What it belongs to. */
  links: readonly (readonly [type: TypeName, id: string])[]
}

/** The ids of what stands around, as the CRM counts them. */
export interface Around {
  seed: number
  id(n: number): string
  owner: string
  /** Undefined where the CRM does not know the person or there is no firm. */
  contact: string | undefined
  company: string | undefined
}

interface Times {
  createdMs: number
  updatedMs: number
  archivedMs?: number | null
}

function made(type: TypeName, id: string, times: Times, properties: Record<string, string | null>, links: Made['links']): Made {
  const { createdMs, updatedMs, archivedMs = null } = times
  const created = type === 'products' || type === 'line_items' ? 'createdate' : 'hs_createdate'
  const dates = { [created]: iso(createdMs), hs_lastmodifieddate: iso(updatedMs) }
  return { type, row: { id, properties: { hs_object_id: id, ...dates, ...properties }, createdMs, updatedMs, archivedMs }, links }
}

const link = (type: TypeName, id: string | undefined) => (id === undefined ? [] : [[type, id] as const])

export function product(id: string, n: number, foundedMs: number): Made {
  const createdMs = foundedMs + n * day
  const updatedMs = createdMs + n * 20 * day
  const properties = { name: goods[n] as string, price: `${10 + n * 7}.90`, hs_sku: `SKU-${n}`, description: n % 3 === 0 ? null : 'Good.' }
  return made('products', id, { createdMs, updatedMs, archivedMs: n % 6 === 5 ? updatedMs : null }, properties, [])
}

export function aroundDeal(deal: Deal, dealId: string, { seed, id, owner, contact, company }: Around): Made[] {
  const dice = new Dice(seed, place('around deal'), deal.n)
  const stage = dealPipelines[deal.pipeline]?.stages[deal.stage]
  const times = { createdMs: deal.openedAtMs, updatedMs: deal.changedAtMs }
  const isLost = stage?.closed === true && stage.probability === 0
  const activity = { hs_timestamp: iso(deal.openedAtMs + 3_600_000), hubspot_owner_id: owner }
  const people = [...link('contacts', contact), ['deals', dealId] as const]
  const found: Made[] = []
  const add = (type: TypeName, n: number, properties: Record<string, string | null>, links: Made['links'], archived = false) =>
    found.push(made(type, id(n), { ...times, archivedMs: archived ? deal.changedAtMs : null }, properties, links))
  const title = `${stage?.label ?? ''} – №${deal.n}`
  if (deal.n % 2 === 0) {
    const duration = dice.chance(0.1) ? '' : String(dice.below(1_800_000))
    const direction = dice.pick(['INBOUND', 'OUTBOUND'])
    add(
      'calls',
      deal.n,
      { ...activity, hs_call_title: title, hs_call_duration: duration, hs_call_direction: direction },
      people,
      deal.n % 30 === 4,
    )
  } else {
    const text = dice.chance(0.2) ? null : 'Hello,\n\nhere is our offer – “as discussed”.'
    const status = dice.chance(0.1) ? 'BOUNCED' : 'SENT'
    const email = { hs_email_subject: title, hs_email_text: text, hs_email_direction: 'EMAIL', hs_email_status: status }
    add('emails', deal.n, { ...activity, ...email }, people, deal.n % 31 === 5)
  }
  if (deal.n % 3 === 0) {
    const startMs = deal.openedAtMs + 2 * day
    const range = { hs_meeting_start_time: iso(startMs), hs_meeting_end_time: iso(startMs + 1_800_000) }
    const outcome = deal.stage === 0 ? 'SCHEDULED' : dice.pick(['COMPLETED', 'NO_SHOW', null])
    const properties = { ...activity, ...range, hs_meeting_title: title, hs_meeting_outcome: outcome }
    add('meetings', deal.n, properties, [...people, ...link('companies', company)], deal.n % 27 === 6)
  }
  for (let i = 0; i < 1 + (deal.n % 3); i++) {
    const n = dice.below(goods.length)
    const quantity = 1 + dice.below(5)
    const amount = ((deal.amount / 3) * quantity).toFixed(2)
    const sold = { name: goods[n] as string, hs_product_id: id(n), quantity: String(quantity) }
    add('line_items', deal.n * 3 + i, { ...sold, price: (deal.amount / 3).toFixed(2), amount }, [['deals', dealId]], isLost && i > 0)
  }
  if (deal.stage >= 2) {
    const expires = iso(deal.openedAtMs + 60 * day).slice(0, 10)
    const status = { hs_status: stage?.closed ? 'APPROVAL_NOT_NEEDED' : 'DRAFT', hs_expiration_date: expires, hs_currency: 'EUR' }
    add('quotes', deal.n, { ...status, hs_title: title, hs_quote_amount: deal.amount.toFixed(2) }, [['deals', dealId]], isLost)
  }
  if (company !== undefined && deal.n % 4 === 1) {
    const machine = { serial: `SN-${deal.n}`, model: dice.pick(['M1', 'M2', 'M2 “Turbo”']) }
    const installed = { installed_on: iso(deal.openedAtMs).slice(0, 10), service_cost: dice.chance(0.15) ? 'N/A' : deal.amount.toFixed(2) }
    add('p999_machines', deal.n, { ...machine, ...installed }, [['companies', company]], isLost)
  }
  return found
}

export function aroundTicket(ticket: Ticket, ticketId: string, { seed, id, owner, contact }: Around): Made[] {
  const dice = new Dice(seed, place('around ticket'), ticket.n)
  const activity = { hs_timestamp: iso(ticket.openedAtMs), hubspot_owner_id: owner }
  const links = [...link('contacts', contact), ['tickets', ticketId] as const]
  const times = { createdMs: ticket.openedAtMs, updatedMs: ticket.changedAtMs }
  const isClosed = ticket.stage === 3
  const body = dice.pick(['<p>Called back.</p>', '<p>Größe getauscht</p>', '', 'Refund “approved”, see\tmail'])
  const task = {
    hs_task_subject: `Answer ticket ${ticket.n}`,
    hs_task_status: isClosed ? 'COMPLETED' : 'NOT_STARTED',
    hs_task_priority: dice.pick(['LOW', 'MEDIUM', 'HIGH', null]),
  }
  const archived = (is: boolean) => ({ ...times, archivedMs: is ? ticket.changedAtMs : null })
  return [
    made('notes', id(ticket.n), archived(ticket.n % 9 === 3), { ...activity, hs_note_body: body }, links),
    ...(ticket.n % 2 === 0 ? [made('tasks', id(ticket.n), archived(isClosed && ticket.n % 4 === 0), { ...activity, ...task }, links)] : []),
  ]
}
