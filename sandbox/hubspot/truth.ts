/** What each stream holds now, as the vendor would show it: the other side of a row-by-row comparison. */
import type { Lists } from './lists.js'
import type { HubspotRecord, Objects } from './objects.js'
import { showProperty } from './properties.js'
import { iso } from './rows.js'
import { pipelines, showOwner } from './setup.js'
import type { HubspotStore } from './store.js'
import { type ObjectType, objectTypes, type TypeName } from './types.js'

export interface HubspotTruth {
  /** Every record with every property, archived ones too; what searches see may lag behind. */
  contacts(): HubspotRecord[]
  companies(): HubspotRecord[]
  deals(): HubspotRecord[]
  tickets(): HubspotRecord[]
  owners(): Record<string, unknown>[]
  lists(): Record<string, unknown>[]
  members(listId: string): { recordId: string; membershipTimestamp: string }[]
  properties(type: TypeName): Record<string, unknown>[]
  /** Of one type, or of all that have pipelines. */
  pipelines(type?: TypeName): Record<string, unknown>[]
}

export function truthOf(store: HubspotStore, objects: Objects, lists: Lists, foundedMs: number): HubspotTruth {
  const records = (name: TypeName) => () => {
    const type = objectTypes.find((one) => one.name === name) as ObjectType
    const all = [...(store.properties.get(name)?.keys() ?? [])]
    return [...store.objects[name].values()].map((row) => objects.show(type, row, all))
  }
  return {
    contacts: records('contacts'),
    companies: records('companies'),
    deals: records('deals'),
    tickets: records('tickets'),
    owners: () => store.owners.map(showOwner),
    lists: () => [...store.lists.values()].map((row) => lists.show(row)),
    members: (id) =>
      [...(store.memberships.get(id)?.values() ?? [])].map((row) => ({ recordId: row.id, membershipTimestamp: iso(row.joinedMs) })),
    properties: (type) => [...(store.properties.get(type)?.values() ?? [])].map(showProperty),
    pipelines: (type) => (type === undefined ? objectTypes.map(({ name }) => name) : [type]).flatMap((name) => pipelines(name, foundedMs)),
  }
}
