/** What an account is set up with: owners and pipelines. */
import { dealPipelines, type Pipeline, ticketPipelines } from '../company/catalogue.js'
import { showProperty } from './properties.js'
import { iso, type OwnerRow } from './rows.js'
import type { HubspotStore } from './store.js'
import type { ObjectType, TypeName } from './types.js'

/** The user behind an archived owner is told under another key only. */
export function showOwner(row: OwnerRow): Record<string, unknown> {
  const { id, email, firstName, lastName, userId, archived, createdMs, updatedMs } = row
  return {
    id,
    email,
    type: 'PERSON',
    firstName,
    lastName,
    userId: archived ? null : userId,
    userIdIncludingInactive: userId,
    createdAt: iso(createdMs),
    updatedAt: iso(updatedMs),
    archived,
    teams: archived ? [] : [{ id: '301', name: 'Sales', primary: true }],
  }
}

export function pipelines(type: TypeName, createdMs: number): Record<string, unknown>[] {
  const at = { createdAt: iso(createdMs), updatedAt: iso(createdMs), archived: false }
  const served: readonly Pipeline[] = type === 'deals' ? dealPipelines : type === 'tickets' ? ticketPipelines : []
  return served.map(({ id, label, stages }, displayOrder) => ({
    id,
    label,
    displayOrder,
    ...at,
    stages: stages.map((stage, order) => ({
      id: stage.id,
      label: stage.label,
      displayOrder: order,
      ...at,
      writePermissions: 'CRM_PERMISSIONS_ENFORCEMENT',
      metadata:
        type === 'deals'
          ? { isClosed: String(stage.closed), probability: stage.probability.toFixed(1) }
          : { ticketState: stage.closed ? 'CLOSED' : 'OPEN' },
    })),
  }))
}

/** A custom object, with the definitions of its properties. */
export function showSchema({ name, singular, objectTypeId }: ObjectType, store: HubspotStore): Record<string, unknown> {
  const properties = [...(store.properties.get(name)?.values() ?? [])]
  const at = iso(store.company.times.foundedMs)
  return {
    id: objectTypeId.slice(2),
    objectTypeId,
    name: name.replace(/^p\d+_/, ''),
    fullyQualifiedName: name,
    labels: { singular, plural: `${singular}s` },
    primaryDisplayProperty: 'serial',
    requiredProperties: ['serial'],
    searchableProperties: ['serial'],
    properties: properties.map(showProperty),
    associations: [],
    archived: false,
    createdAt: at,
    updatedAt: at,
  }
}
