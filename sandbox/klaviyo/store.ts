/** The e-mail tool's tables, filled from the company's past and kept up to date by what happens. */

import { campaign, day, flows, type Group, lists, metrics, segments, templateCount } from '../company/catalogue.js'
import type { Company } from '../company/company.js'
import { code, Dice, place, roll, ulid } from '../company/dice.js'
import type { Person } from '../company/people.js'
import { firm } from '../company/people.js'
import type { Activity, Consent, Happening } from '../company/story.js'
import { Table } from '../kit/table.js'
import { consented, edited, profileProperties, suppressed } from './profile.js'
import { type EventRow, type MemberRow, type ProfileRow, type ThingRow, toSecond } from './rows.js'
import { Shelf } from './shelf.js'

const K = place('klaviyo')
const Events = place('klaviyo event')
const Lost = place('klaviyo lost metric')
/** Share of events whose metric is gone: they are shown without one. */
const lostMetrics = 0.003

const emailOf = ({ email }: ProfileRow) => (email ?? '').toLowerCase()
const phoneOf = ({ phone }: ProfileRow) => phone ?? ''

/** A profile of which nothing is known yet: whoever imports it says what it holds. */
export const emptyProfile = (id: string, atMs: number): ProfileRow => ({
  id,
  email: null,
  phone: null,
  externalId: null,
  first: null,
  last: null,
  organization: null,
  locale: null,
  title: null,
  createdMs: atMs,
  updatedMs: atMs,
  lastEventMs: null,
  location: {},
  properties: {},
  consent: { state: 'never', atMs },
  suppressions: [],
})

export class KlaviyoStore {
  readonly profiles = new Table<ProfileRow>()
  readonly events = new Table<EventRow>()
  readonly metrics = new Table<ThingRow>()
  readonly lists = new Table<ThingRow>()
  readonly segments = new Table<ThingRow>()
  readonly campaigns = new Table<ThingRow>()
  readonly flows = new Table<ThingRow>()
  readonly templates = new Table<ThingRow>()
  readonly shelf: Shelf
  /** By id of list or segment. */
  readonly members = new Map<string, Table<MemberRow>>()

  private readonly seed: number
  private readonly ids: (string | undefined)[] = []
  private readonly metricIds: ReadonlyMap<string, string>

  constructor(readonly company: Company) {
    this.seed = company.times.seed
    this.metricIds = new Map(metrics.map((name) => [name, code(6, this.seed, K, place('metric'), place(name))]))
    this.fillThings()
    this.shelf = new Shelf(company.times, this.flowId)
    const lastAct = new Map<number, number>()
    for (const { person, atMs } of company.activities) lastAct.set(person, Math.max(atMs, lastAct.get(person) ?? 0))
    for (const who of company.people)
      if (who.inEmailTool) this.addProfile(who, company.consents[who.n] as Consent, lastAct.get(who.n) ?? null)
    for (const act of company.activities) this.addEvent(act)
    this.fillMembers('list', lists)
    this.fillMembers('segment', segments)
    company.listen((happening) => this.hear(happening))
  }

  listId = (n: number) => code(6, this.seed, K, place('list'), n)
  flowId = (n: number) => code(6, this.seed, K, place('flow'), n)
  segmentId = (n: number) => code(6, this.seed, K, place('segment'), n)
  metricId = (name: string) => this.metricIds.get(name) ?? ''

  /** The profile with this address or number. */
  profileBy(field: 'email' | 'phone', value: string): ProfileRow | undefined {
    const index = this.profiles.index(`by ${field}`, field === 'email' ? emailOf : phoneOf)
    return index.walk({ low: value, high: value, limit: 1 }).rows[0]
  }

  private hear(happening: Happening): void {
    switch (happening.kind) {
      case 'joined':
        if (happening.person.inEmailTool) this.addProfile(happening.person, happening.consent, null)
        return
      case 'acted':
        this.act(happening.activity)
        return
      case 'erased':
        this.erase(happening.person)
        return
      case 'edited':
        if (happening.where !== 'crm') this.change(happening.person, (row) => edited(row, happening, happening.atMs))
        return
      case 'consent':
        this.change(happening.person, (row) => consented(row, happening.consent))
        return
      case 'membership':
        this.moveMember(
          happening.of === 'list' ? this.listId(happening.group) : this.segmentId(happening.group),
          happening.person,
          happening.member,
          happening.atMs,
        )
        return
      case 'campaign':
        this.addCampaign(happening.n, happening.atMs)
    }
  }

  private change(person: number, make: (row: ProfileRow) => ProfileRow): void {
    const id = this.ids[person]
    const row = id === undefined ? undefined : this.profiles.get(id)
    if (row !== undefined) this.profiles.put(make(row))
  }

  private addProfile(who: Person, consent: Consent, lastActMs: number | null): void {
    const dice = new Dice(this.seed, K, place('profile'), who.n)
    const id = ulid(who.joinedAtMs, this.seed, K, who.n)
    this.ids[who.n] = id
    const [city, region, latitude, longitude, zip] = who.city
    // Some sources send coordinates as text, some as numbers, some not at all.
    const shape = dice.next()
    const point = (degrees: number) => (shape < 0.3 ? String(degrees) : shape < 0.7 ? degrees : null)
    this.profiles.put({
      id,
      email: who.email,
      phone: who.phone,
      externalId: dice.chance(0.7) ? `u-${who.n}` : null,
      first: dice.chance(0.06) ? null : who.first,
      last: dice.chance(0.12) ? null : who.last,
      organization: who.firm === null ? null : firm(this.seed, who.firm).name,
      locale: dice.chance(0.2) ? null : who.country.locale,
      title: dice.chance(0.4) ? null : who.title,
      createdMs: toSecond(who.joinedAtMs),
      updatedMs: toSecond(Math.max(who.editedAtMs, consent.state === 'subscribed' ? consent.atMs : 0)),
      lastEventMs: lastActMs === null ? null : toSecond(lastActMs),
      location: {
        address1: null,
        address2: null,
        city,
        country: who.country.name,
        latitude: point(latitude),
        longitude: point(longitude),
        region,
        zip,
        timezone: who.country.timezone,
        ip: null,
      },
      properties: profileProperties(who, dice),
      consent,
      suppressions: suppressed([], consent),
    })
  }

  /** Gives the row of its profile, unless the e-mail tool does not know the person. */
  private addEvent(activity: Activity): { profile: string; atMs: number } | undefined {
    const profile = this.ids[activity.person]
    if (profile === undefined) return undefined
    const atMs = toSecond(activity.atMs)
    const metric = roll(this.seed, Lost, activity.n) < lostMetrics ? '' : this.metricId(activity.metric)
    this.events.put({ id: code(11, this.seed, Events, activity.n), atMs, metric, profile, activity })
    return { profile, atMs }
  }

  private act(activity: Activity): void {
    const added = this.addEvent(activity)
    const row = added === undefined ? undefined : this.profiles.get(added.profile)
    if (added === undefined || row === undefined) return
    if (row.lastEventMs === null || row.lastEventMs < added.atMs) this.profiles.put({ ...row, lastEventMs: added.atMs })
  }

  /** No trace is left of an erased profile; its events stay, as the vendor lets them. */
  private erase(person: number): void {
    const id = this.ids[person]
    if (id === undefined) return
    this.ids[person] = undefined
    this.profiles.delete(id)
    for (const table of this.members.values()) table.delete(id)
  }

  private fillThings(): void {
    const { openedMs, foundedMs } = this.company.times
    const put = (table: Table<ThingRow>, id: string, name: string, createdMs: number, updatedMs: number, more: Record<string, unknown>) =>
      table.put({ id, name, createdMs: toSecond(createdMs), updatedMs: toSecond(updatedMs), more })
    for (const [n, name] of metrics.entries()) {
      const shop = /Order|Checkout|Cart/.test(name)
      const integration = {
        object: 'integration',
        id: shop ? '0eMvjm' : '0rG4eQ',
        name: shop ? 'Shopify' : 'Klaviyo',
        category: n % 5 === 0 ? { name: 'eCommerce' } : 'eCommerce',
      }
      put(this.metrics, this.metricId(name), name, foundedMs, foundedMs + n * day, { integration })
    }
    for (const [n, { name, createdDaysBefore }] of lists.entries()) {
      const atMs = openedMs - createdDaysBefore * day
      put(this.lists, this.listId(n), name, atMs, atMs + (createdDaysBefore * day) / 3, {
        opt_in_process: n % 3 === 0 ? 'double_opt_in' : 'single_opt_in',
      })
    }
    for (const [n, { name, createdDaysBefore }] of segments.entries()) {
      const atMs = openedMs - createdDaysBefore * day
      const definition = {
        condition_groups: [
          {
            conditions: [
              { type: 'profile-property', property: "properties['plan']", filter: { type: 'string', operator: 'equals', value: 'gold' } },
            ],
          },
        ],
      }
      put(this.segments, this.segmentId(n), name, atMs, atMs + (createdDaysBefore * day) / 2, {
        definition,
        is_active: n % 6 !== 5,
        is_processing: false,
        is_starred: n % 4 === 0,
      })
    }
    for (const [n, flow] of flows.entries()) {
      put(this.flows, this.flowId(n), flow.name, foundedMs + n * 17 * day, foundedMs + n * 40 * day, {
        status: flow.status,
        archived: 'archived' in flow,
        trigger_type: flow.trigger,
      })
    }
    for (let n = 0; n < templateCount; n++) {
      const dice = new Dice(this.seed, K, place('template'), n)
      const html = `<html><body><h1>Hello {{ first_name|default:'friend' }} – №${n}</h1></body></html>`
      const createdMs = foundedMs + n * 20 * day
      put(
        this.templates,
        code(6, this.seed, K, place('template'), n),
        `Template ${n + 1} “${dice.pick(['Glow', 'Été', 'Plain'])}”`,
        createdMs,
        createdMs + dice.below(180 * day),
        {
          editor_type: dice.pick(['CODE', 'SYSTEM_DRAGGABLE', 'USER_DRAGGABLE']),
          html,
          text: dice.chance(0.3) ? null : 'Hello',
          amp: null,
        },
      )
    }
    for (let n = 0; ; n++) {
      const { createdAtMs } = campaign(this.seed, foundedMs, n)
      if (createdAtMs > openedMs + 14 * day) break
      if (createdAtMs <= openedMs) this.addCampaign(n, openedMs)
    }
  }

  /** The n-th campaign as it stands at an instant. */
  private addCampaign(n: number, nowMs: number): void {
    const { foundedMs } = this.company.times
    const { name, channel, createdAtMs, sendAtMs, archived } = campaign(this.seed, foundedMs, n)
    const sent = sendAtMs !== null && sendAtMs + 2 * 3_600_000 <= nowMs
    const status = sendAtMs === null ? 'Draft' : sent ? (n % 23 === 7 ? 'Cancelled: No Recipients' : 'Sent') : 'Scheduled'
    this.campaigns.put({
      id: ulid(createdAtMs, this.seed, K, place('campaign'), n),
      name,
      createdMs: toSecond(createdAtMs),
      updatedMs: toSecond(sent ? sendAtMs + 2 * 3_600_000 : createdAtMs + 60_000),
      more: {
        status,
        channel,
        archived: archived && sent,
        scheduled_at: sendAtMs === null ? null : toSecond(createdAtMs + 60_000),
        send_time: sendAtMs,
        audience: this.listId(n % 3),
        message: ulid(createdAtMs, this.seed, K, place('message'), n),
      },
    })
  }

  private fillMembers(of: 'list' | 'segment', groups: readonly Group[]): void {
    const { openedMs } = this.company.times
    for (const [n, { share, createdDaysBefore, imported }] of groups.entries()) {
      const table = new Table<MemberRow>()
      this.members.set(of === 'list' ? this.listId(n) : this.segmentId(n), table)
      const createdMs = openedMs - createdDaysBefore * day
      const group = place(`klaviyo ${of} ${n}`)
      for (const { n: who, joinedAtMs } of this.company.people) {
        const id = this.ids[who]
        if (id === undefined || roll(this.seed, group, who) >= share) continue
        const sinceMs = Math.max(createdMs, joinedAtMs)
        const joinedMs = imported ? createdMs : sinceMs + (openedMs - sinceMs) * roll(this.seed, group, who, 1) ** 2
        table.put({ id, joinedMs: toSecond(joinedMs) })
      }
    }
  }

  private moveMember(group: string, person: number, member: boolean, atMs: number): void {
    const id = this.ids[person]
    const table = this.members.get(group)
    if (id === undefined || table === undefined) return
    if (!member) table.delete(id)
    else if (table.get(id) === undefined) table.put({ id, joinedMs: toSecond(atMs) })
  }
}
