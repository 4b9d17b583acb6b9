import type { Field, Fields, FieldType, Http, Rec } from '../../src/core/types.js'
import { recordsAt } from '../../src/extract/paginate.js'
import { path } from './api.js'

/** Columns: what HubSpot wraps around every record, and the properties that each account has of its own. */

const typed = (fields: Record<string, FieldType>): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type }]))

/** Around the properties of every CRM record. */
export const envelope = typed({ id: 'text', createdAt: 'timestamp', updatedAt: 'timestamp', archived: 'boolean', archivedAt: 'timestamp' })

/** A property named like the envelope steps aside, as does one that is named like such a property: the way back stays clear. */
const clash = new RegExp(`^(?:property_)*(?:${Object.keys(envelope).join('|')})$`)
const fieldOf = (property: string) => (clash.test(property) ? `property_${property}` : property)
const propertyOf = (field: string) => (clash.test(field) ? field.replace(/^property_/, '') : field)

/** Names of the properties behind a table's fields. HubSpot gives six or so unless it is asked for each by name. */
export const propertiesOf = (fields: Fields): string[] =>
  Object.keys(fields)
    .filter((field) => !(field in envelope))
    .map(propertyOf)
    .sort()

/** Types of properties. Every value is written as a text; what does not fit, such as "N/A" for a number, goes to a column beside. */
const types: Readonly<Record<string, FieldType>> = {
  string: 'text',
  phone_number: 'text',
  number: 'numeric',
  bool: 'boolean',
  // several choices stand in one text with semicolons between them
  enumeration: 'text',
  date: 'date',
  datetime: 'timestamp',
  json: 'json',
  object_coordinates: 'text',
}

/** The account's own properties of an object; archived definitions are left out, as HubSpot gives no values of them. */
export const discover = (object: string) => async (http: Http) => {
  const { body } = await http.request({ path: path(http, 'properties', `/${object}`) })
  const found = recordsAt('results')(body).filter(({ archived }) => archived !== true)
  return Object.fromEntries(found.map((definition) => [fieldOf(String(definition.name)), field(definition)]))
}

const field = ({ type, label }: Rec): Field => ({
  type: types[String(type)] ?? 'text',
  ...(typeof label === 'string' ? { description: label } : {}),
})

/** Properties to the top level under their internal names. HubSpot clears a value by making it an empty text. */
export function flat({ id, properties, createdAt, updatedAt, archived, archivedAt = null }: Rec): Rec {
  const values = Object.entries((properties ?? {}) as Rec).map(([name, value]) => [fieldOf(name), value === '' ? null : value])
  return { ...Object.fromEntries(values), id, createdAt, updatedAt, archived, archivedAt }
}

export const owner = typed({
  id: 'text',
  email: 'text',
  firstName: 'text',
  lastName: 'text',
  // null once archived; the other keeps it
  userId: 'text',
  userIdIncludingInactive: 'text',
  // PERSON or QUEUE
  type: 'text',
  teams: 'json',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
  archived: 'boolean',
})

export const pipeline = typed({
  objectType: 'text',
  id: 'text',
  label: 'text',
  displayOrder: 'bigint',
  stages: 'json',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
  archived: 'boolean',
})

export const list = typed({
  listId: 'text',
  // 0-1 contacts, 0-2 companies, 0-3 deals, 0-5 tickets
  objectTypeId: 'text',
  name: 'text',
  // MANUAL, DYNAMIC or SNAPSHOT
  processingType: 'text',
  processingStatus: 'text',
  listVersion: 'bigint',
  createdAt: 'timestamp',
  // does not move when members come or go
  updatedAt: 'timestamp',
  filtersUpdatedAt: 'timestamp',
  deletedAt: 'timestamp',
  // size and the like, numbers as texts
  additionalProperties: 'json',
})

export const listMembership = typed({ list_id: 'text', record_id: 'text', membership_timestamp: 'timestamp' })
