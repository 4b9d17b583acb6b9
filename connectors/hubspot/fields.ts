import { Failure } from '../../src/core/failure.js'
import { InOrder } from '../../src/core/in-order.js'
import type { Fields, FieldType, Http, Rec } from '../../src/core/types.js'
import { typed } from '../../src/extract/define.js'
import { recordsAt } from '../../src/extract/paginate.js'
import { path } from './api.js'

/** What stands around the properties of every CRM record. */
export const envelope: Fields = {
  id: { type: 'text' },
  createdAt: { type: 'timestamp' },
  updatedAt: { type: 'timestamp', required: true },
  archived: { type: 'boolean' },
  archivedAt: { type: 'timestamp' },
}

/** A property named like a part of the envelope steps aside; so does one that is named like such a property, to keep the way back clear. */
const clash = new RegExp(`^(?:property_)*(?:${Object.keys(envelope).join('|')})$`)
const fieldOf = (property: string) => (clash.test(property) ? `property_${property}` : property)
const propertyOf = (field: string) => (clash.test(field) ? field.replace('property_', '') : field)

/** Property types → columns. Numbers may hold "N/A": such values go to a variant column, whole. */
const types: Record<string, FieldType> = { number: 'numeric', bool: 'boolean', date: 'date', datetime: 'timestamp', json: 'json' }

/**
 * Properties of an object, custom ones included, as columns. Archived definitions are left out: HubSpot gives no values of them.
 * @throws Failure `permission` where the account has no such object
 */
export const propertiesOf =
  (object: string) =>
  async (http: Http): Promise<Fields> => {
    const { status, body } = await http.request({ path: path(http, 'properties', `/${object}`), refusals: [400, 404] })
    if (status >= 400)
      throw new Failure(
        'permission',
        `HubSpot has no object ${JSON.stringify(object)}: it was removed, or this account does not have it. Restore it there, or leave this stream out.`,
        { status },
      )
    // An answer without the list is no account without properties: nothing but defaults would be asked for.
    const found = recordsAt('results')(body).filter(({ archived }) => archived !== true)
    return Object.fromEntries(
      found.map(({ name, type, label }) => [
        fieldOf(String(name)),
        { type: types[String(type)] ?? 'text', description: String(label ?? '') },
      ]),
    )
  }

/** Names to ask for: nothing comes that is not asked for by name. */
export const propertyNames = (fields: Fields): string[] =>
  Object.keys(fields)
    .filter((field) => !(field in envelope))
    .map(propertyOf)

/**
 * Properties to the top level, beside the envelope; an empty text is HubSpot's null. The record is what held the properties: to copy sixty of
 * them would cost more than all else that is done to it.
 */
export function flat({ id, properties, createdAt, updatedAt, archived, archivedAt }: Rec): Rec {
  const record = beside((properties ?? {}) as Rec)
  record.id = filled(id)
  record.createdAt = filled(createdAt)
  record.updatedAt = filled(updatedAt)
  record.archived = archived
  record.archivedAt = filled(archivedAt)
  return record
}

const filled = (value: unknown) => (value === '' ? null : value)

/** The same names come with every record. */
const clashes = new InOrder((name) => clash.test(name))

/** The properties under names that are not those of the envelope, none of them an empty text. */
function beside(properties: Rec): Rec {
  let place = 0
  for (const name in properties) {
    if (clashes.at(place++, name))
      return Object.fromEntries(Object.entries(properties).map(([one, value]) => [fieldOf(one), filled(value)]))
    if (properties[name] === '') properties[name] = null
  }
  return properties
}

export const owner = typed({
  id: 'text',
  email: 'text',
  firstName: 'text',
  lastName: 'text',
  userId: 'text',
  userIdIncludingInactive: 'text',
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
  archived: 'boolean',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
})

export const list = typed({
  listId: 'text',
  objectTypeId: 'text',
  name: 'text',
  processingType: 'text',
  processingStatus: 'text',
  listVersion: 'bigint',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
  filtersUpdatedAt: 'timestamp',
  deletedAt: 'timestamp',
  additionalProperties: 'json',
})

export const membership = typed({ list_id: 'text', record_id: 'text', membershipTimestamp: 'timestamp' })

export const association = typed({
  from_object: 'text',
  from_id: 'text',
  to_object: 'text',
  to_id: 'text',
  // HUBSPOT_DEFINED, USER_DEFINED …: ids of types are counted apart in each
  category: 'text',
  type_id: 'text',
  label: 'text',
})

export const version = typed({
  id: 'text',
  property: 'text',
  timestamp: 'timestamp',
  source: 'text',
  value: 'text',
  source_type: 'text',
  source_label: 'text',
  updated_by_user_id: 'text',
})
