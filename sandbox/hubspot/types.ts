/** The object types served, under all the names that HubSpot takes for them. The last is the account's own: a custom object. */
export const typeNames = [
  'contacts',
  'companies',
  'deals',
  'tickets',
  'calls',
  'emails',
  'meetings',
  'notes',
  'tasks',
  'products',
  'line_items',
  'quotes',
  'p999_machines',
] as const
export type TypeName = (typeof typeNames)[number]

export interface ObjectType {
  name: TypeName
  singular: string
  objectTypeId: string
  /** Any one of them will do. */
  scopes: readonly string[]
  writeScopes: readonly string[]
  /** Needed beside one of the others. */
  alsoScope?: string
  schemaScopes: readonly string[]
  /** Contacts keep their own name for the date of the last change. */
  modified: 'lastmodifieddate' | 'hs_lastmodifieddate'
  /** Shown when nothing was asked for. */
  standard: readonly string[]
}

const words = (text: string) => text.split(' ')

const crm = (name: TypeName, singular: string, objectTypeId: string, standard: string, more: Partial<ObjectType>): ObjectType => ({
  name,
  singular,
  objectTypeId,
  scopes: [`crm.objects.${name}.read`],
  writeScopes: [`crm.objects.${name}.write`],
  schemaScopes: [`crm.schemas.${name}.read`, `crm.objects.${name}.read`],
  modified: 'hs_lastmodifieddate',
  standard: words(standard),
  ...more,
})

const ofContacts = {
  scopes: ['crm.objects.contacts.read'],
  writeScopes: ['crm.objects.contacts.write'],
  schemaScopes: ['crm.objects.contacts.read'],
}
const activity = (name: TypeName, singular: string, objectTypeId: string, more: Partial<ObjectType> = {}) =>
  crm(name, singular, objectTypeId, 'hs_createdate hs_lastmodifieddate hs_object_id', { ...ofContacts, ...more })
const selling = {
  scopes: ['e-commerce', 'crm.objects.line_items.read'],
  writeScopes: ['e-commerce', 'crm.objects.line_items.write'],
  schemaScopes: ['e-commerce', 'crm.objects.line_items.read'],
}

export const objectTypes: readonly ObjectType[] = [
  crm('contacts', 'contact', '0-1', 'createdate email firstname hs_object_id lastmodifieddate lastname', { modified: 'lastmodifieddate' }),
  crm('companies', 'company', '0-2', 'createdate domain hs_lastmodifieddate hs_object_id name', {}),
  crm('deals', 'deal', '0-3', 'amount closedate createdate dealname dealstage hs_lastmodifieddate hs_object_id pipeline', {}),
  crm(
    'tickets',
    'ticket',
    '0-5',
    'content createdate hs_lastmodifieddate hs_object_id hs_pipeline hs_pipeline_stage hs_ticket_category hs_ticket_priority subject',
    { scopes: ['tickets'], writeScopes: ['tickets'], schemaScopes: ['tickets'] },
  ),
  activity('calls', 'call', '0-48'),
  activity('emails', 'email', '0-49', { alsoScope: 'sales-email-read' }),
  activity('meetings', 'meeting', '0-47'),
  activity('notes', 'note', '0-46'),
  activity('tasks', 'task', '0-27'),
  crm('products', 'product', '0-7', 'createdate hs_lastmodifieddate hs_object_id name price', selling),
  crm('line_items', 'line_item', '0-8', 'createdate hs_lastmodifieddate hs_object_id hs_product_id quantity', selling),
  crm('quotes', 'quote', '0-14', 'hs_createdate hs_expiration_date hs_lastmodifieddate hs_object_id hs_title', selling),
  crm('p999_machines', 'machine', '2-4711', 'hs_createdate hs_lastmodifieddate hs_object_id', {
    scopes: ['crm.objects.custom.read'],
    writeScopes: ['crm.objects.custom.write'],
    schemaScopes: ['crm.schemas.custom.read'],
  }),
]

const byName = new Map<string, ObjectType>(
  objectTypes.flatMap((type) =>
    [type.name, type.singular, type.objectTypeId, type.singular.toUpperCase()].map((name) => [name, type] as const),
  ),
)

/** Plural, singular or type id; undefined for what is not served. */
export const objectType = (name: string): ObjectType | undefined => byName.get(name) ?? byName.get(name.toLowerCase())
