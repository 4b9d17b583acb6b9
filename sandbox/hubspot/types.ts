/** The object types served, under all the names that HubSpot takes for them. */
export type TypeName = 'contacts' | 'companies' | 'deals' | 'tickets'

export interface ObjectType {
  name: TypeName
  singular: string
  objectTypeId: string
  /** Any one of them will do. */
  scopes: readonly string[]
  schemaScopes: readonly string[]
  /** Contacts keep their own name for the date of the last change. */
  modified: 'lastmodifieddate' | 'hs_lastmodifieddate'
  /** Shown when nothing was asked for. */
  standard: readonly string[]
}

const words = (text: string) => text.split(' ')

export const objectTypes: readonly ObjectType[] = [
  {
    name: 'contacts',
    singular: 'contact',
    objectTypeId: '0-1',
    scopes: ['crm.objects.contacts.read'],
    schemaScopes: ['crm.schemas.contacts.read', 'crm.objects.contacts.read'],
    modified: 'lastmodifieddate',
    standard: words('createdate email firstname hs_object_id lastmodifieddate lastname'),
  },
  {
    name: 'companies',
    singular: 'company',
    objectTypeId: '0-2',
    scopes: ['crm.objects.companies.read'],
    schemaScopes: ['crm.schemas.companies.read', 'crm.objects.companies.read'],
    modified: 'hs_lastmodifieddate',
    standard: words('createdate domain hs_lastmodifieddate hs_object_id name'),
  },
  {
    name: 'deals',
    singular: 'deal',
    objectTypeId: '0-3',
    scopes: ['crm.objects.deals.read'],
    schemaScopes: ['crm.schemas.deals.read', 'crm.objects.deals.read'],
    modified: 'hs_lastmodifieddate',
    standard: words('amount closedate createdate dealname dealstage hs_lastmodifieddate hs_object_id pipeline'),
  },
  {
    name: 'tickets',
    singular: 'ticket',
    objectTypeId: '0-5',
    scopes: ['tickets'],
    schemaScopes: ['tickets'],
    modified: 'hs_lastmodifieddate',
    standard: words(
      'content createdate hs_lastmodifieddate hs_object_id hs_pipeline hs_pipeline_stage hs_ticket_category hs_ticket_priority subject',
    ),
  },
]

const byName = new Map<string, ObjectType>(
  objectTypes.flatMap((type) =>
    [type.name, type.singular, type.objectTypeId, type.singular.toUpperCase()].map((name) => [name, type] as const),
  ),
)

/** Plural, singular or type id; undefined for what is not served. */
export const objectType = (name: string): ObjectType | undefined => byName.get(name) ?? byName.get(name.toLowerCase())
