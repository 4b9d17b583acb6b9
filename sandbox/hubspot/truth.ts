/** What each stream holds now, as the vendor would show it: the other side of a row-by-row comparison. */
import type { EmailEvents } from './email-events.js'
import { showForms, submissionsOf } from './forms.js'
import type { Lists } from './lists.js'
import { marketingCampaigns, marketingEmails } from './marketing.js'
import type { HubspotRecord, Objects } from './objects.js'
import { showProperty } from './properties.js'
import { iso } from './rows.js'
import { pipelines, showOwner } from './setup.js'
import type { HubspotStore } from './store.js'
import { type ObjectType, objectTypes, type TypeName, typeNames } from './types.js'

type Shown = Record<string, unknown>

/** Every record of an object with every property, archived ones too; what searches see may lag behind. */
type Records = Record<TypeName, () => HubspotRecord[]>

export interface HubspotTruth extends Records {
  owners(): Shown[]
  lists(): Shown[]
  members(listId: string): { recordId: string; membershipTimestamp: string }[]
  properties(type: TypeName): Shown[]
  /** Of one type, or of all that have pipelines. */
  pipelines(type?: TypeName): Shown[]
  /** One for each type of each link of the records that are not archived. */
  associations(from: TypeName, to: readonly TypeName[]): Shown[]
  /** Every known value of the properties that are not calculated, of the records that are not archived. */
  history(type: TypeName): Shown[]
  marketing_emails(): Shown[]
  campaigns(): Shown[]
  forms(): Shown[]
  submissions(formGuid: string): Shown[]
  email_events(): Shown[]
}

export function truthOf(store: HubspotStore, objects: Objects, lists: Lists, events: EmailEvents, now: () => number): HubspotTruth {
  const { company } = store
  const { foundedMs } = company.times
  const records = (name: TypeName) => () => {
    const type = objectTypes.find((one) => one.name === name) as ObjectType
    const all = [...(store.properties.get(name)?.keys() ?? [])]
    return [...store.objects[name].values()].map((row) => objects.show(type, row, all))
  }
  const standing = (type: TypeName) => [...store.objects[type].values()].filter(({ archivedMs }) => archivedMs === null)
  return {
    ...(Object.fromEntries(typeNames.map((name) => [name, records(name)])) as Records),
    owners: () => store.owners.map(showOwner),
    lists: () => [...store.lists.values()].map((row) => lists.show(row)),
    members: (id) =>
      [...(store.memberships.get(id)?.values() ?? [])].map((row) => ({ recordId: row.id, membershipTimestamp: iso(row.joinedMs) })),
    properties: (type) => [...(store.properties.get(type)?.values() ?? [])].map(showProperty),
    pipelines: (type) => (type === undefined ? objectTypes.map(({ name }) => name) : [type]).flatMap((name) => pipelines(name, foundedMs)),
    associations: (from, tos) =>
      standing(from).flatMap(({ id }) =>
        tos.flatMap((to) =>
          store.associations
            .of(from, id, to)
            .flatMap((link) =>
              store.associations.types(from, to, link).map((type) => ({ from, fromId: id, to, toId: link.toId, ...type })),
            ),
        ),
      ),
    history: (type) => {
      const names = [...(store.properties.get(type)?.values() ?? [])].filter(({ calculated, archived }) => !calculated && !archived)
      return standing(type).flatMap(({ id }) =>
        names.flatMap(({ name }) => store.history.of(type, id, name).map((version) => ({ id, property: name, ...version }))),
      )
    },
    marketing_emails: () => marketingEmails(company.times, now(), true),
    campaigns: () => marketingCampaigns(company.times),
    forms: () => showForms(company, true),
    submissions: (guid) => submissionsOf(company, guid) ?? [],
    email_events: () => events.within(0, Number.POSITIVE_INFINITY),
  }
}
