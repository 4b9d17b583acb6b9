/** The org's objects and their fields, as an administrator set them up: standard ones and some of the company's own. */

export type FieldType =
  | 'id'
  | 'reference'
  | 'string'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'url'
  | 'picklist'
  | 'multipicklist'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'address'
  | 'location'
  | 'base64'

export interface SField {
  name: string
  type: FieldType
  length: number
  precision: number
  scale: number
  /** Formulas and roll-ups: they change without a trace in SystemModstamp. */
  calculated: boolean
  filterable: boolean
  sortable: boolean
  /** The compound field that this one is a part of. */
  compound: string | null
  referenceTo: readonly string[]
  relationship: string | null
  values: readonly string[]
}

/** Fields by which records may be found when they are written; unique, and compared without case. */
export const isExternalId = ({ name }: SField): boolean => name === 'Ext_Key__c' || name === 'Audience_Key__c'
export const isIdLookup = ({ name: object }: SObject, field: SField): boolean =>
  isExternalId(field) || field.name === 'Id' || (field.name === 'Email' && (object === 'Contact' || object === 'Lead'))
/** A picklist that takes no other value than its own. */
export const isRestricted = ({ name }: SField): boolean => name === 'Plan__c'

const ofSystem =
  /^(Is(Deleted|Archived|Closed|Won|Converted)|Created|LastModified|System|Master|Converted|EmailBounced|LastActivity|HasResponded|FirstResponded)/
const onceOnly: ReadonlySet<string> = new Set(['CampaignId', 'ContactId', 'LeadId'])
export const isCreateable = ({ fields }: SObject, { name, type, calculated }: SField): boolean =>
  !calculated &&
  !['id', 'address', 'location'].includes(type) &&
  !ofSystem.test(name) &&
  name !== 'LeadOrContactId' &&
  !(name === 'Name' && fields.has('LastName'))
export const isUpdateable = (object: SObject, field: SField): boolean =>
  isCreateable(object, field) && !(object.name === 'CampaignMember' && onceOnly.has(field.name))
/** What a new record must have. */
export const required: Readonly<Record<string, readonly string[]>> = {
  Account: ['Name'],
  Contact: ['LastName'],
  Lead: ['LastName', 'Company'],
  Campaign: ['Name'],
  CampaignMember: ['CampaignId'],
}

export interface SObject {
  name: string
  label: string
  prefix: string
  custom: boolean
  /** Served by Bulk API 2.0? */
  bulk: boolean
  /** Users are deactivated, never deleted: they have no IsDeleted. */
  deletable: boolean
  fields: Map<string, SField>
}

type Spec = readonly [name: string, type: FieldType, more?: Partial<Omit<SField, 'name' | 'type'>>]

export function field([name, type, more = {}]: Spec): SField {
  const isText = ['string', 'email', 'phone', 'url', 'picklist', 'multipicklist', 'textarea'].includes(type)
  const isNumber = ['double', 'currency', 'percent'].includes(type)
  const isOpen = !['address', 'location', 'base64'].includes(type) && (more.length ?? 0) <= 255
  return {
    name,
    type,
    length: type === 'id' || type === 'reference' ? 18 : isText ? 255 : 0,
    precision: isNumber ? 18 : 0,
    scale: isNumber ? 2 : 0,
    calculated: false,
    filterable: isOpen,
    sortable: isOpen && type !== 'multipicklist',
    compound: null,
    referenceTo: [],
    relationship: null,
    values: [],
    ...more,
  }
}

const to = (...referenceTo: string[]) => ({ referenceTo, relationship: referenceTo[0] ?? null })
const ref = (name: string, ...objects: string[]): Spec => [
  name,
  'reference',
  { ...to(...objects), relationship: name.replace(/Id$/, '').replace(/__c$/, '__r') },
]
const pick = (name: string, ...values: string[]): Spec => [name, 'picklist', { values }]
const long = (name: string): Spec => [name, 'textarea', { length: 32_000 }]
const formula = (name: string, type: FieldType): Spec => [name, type, { calculated: true }]
/** A compound address and its parts. */
const address = (stem: string): Spec[] => [
  ...['Street', 'City', 'State', 'PostalCode', 'Country'].map(
    (part): Spec => [`${stem}${part}`, part === 'Street' ? 'textarea' : 'string', { compound: `${stem}Address` }],
  ),
  ...['Latitude', 'Longitude'].map((part): Spec => [`${stem}${part}`, 'double', { compound: `${stem}Address`, scale: 15 }]),
  [`${stem}Address`, 'address'],
]
/** First and last name are parts of Name, which is plain text all the same. */
const person: Spec[] = [
  ['LastName', 'string', { length: 80, compound: 'Name' }],
  ['FirstName', 'string', { length: 40, compound: 'Name' }],
  ['Name', 'string', { length: 121 }],
]
const utm: Spec[] = ['Source', 'Medium', 'Campaign'].map((part) => [`UTM_${part}__c`, 'string'] as const)
const sources = ['Web', 'Partner', 'Trade Show', 'Advertisement', 'Other']

const audit: Spec[] = [
  ['CreatedDate', 'datetime'],
  ref('CreatedById', 'User'),
  ['LastModifiedDate', 'datetime'],
  ref('LastModifiedById', 'User'),
  ['SystemModstamp', 'datetime'],
]

function object(name: string, prefix: string, specs: readonly Spec[], more: Partial<SObject> = {}): SObject {
  const deletable = more.deletable ?? true
  const all: Spec[] = [['Id', 'id'], ...(deletable ? [['IsDeleted', 'boolean'] as const] : []), ...specs, ...audit]
  return {
    name,
    label: name
      .replace(/__c$/, '')
      .replace(/_/g, ' ')
      .replace(/([a-z])([A-Z])/g, '$1 $2'),
    prefix,
    custom: name.endsWith('__c'),
    bulk: true,
    deletable,
    ...more,
    fields: new Map(all.map((spec) => [spec[0], field(spec)])),
  }
}

/** An object whose SELECT of all fields is longer than a URL may be. */
export const wideFields = 600
const wide = Array.from(
  { length: wideFields },
  (_, i): Spec => [`Answer_to_the_yearly_survey_question_${String(i + 1).padStart(3, '0')}__c`, i % 7 === 3 ? 'double' : 'string'],
)

export function objects(): Map<string, SObject> {
  const all = [
    object('Account', '001', [
      ref('MasterRecordId', 'Account'),
      ['Name', 'string'],
      pick('Type', 'Customer', 'Prospect', 'Partner'),
      ref('ParentId', 'Account'),
      ...address('Billing'),
      ['Phone', 'phone', { length: 40 }],
      ['Website', 'url'],
      pick('Industry'),
      ['AnnualRevenue', 'currency', { scale: 0 }],
      ['NumberOfEmployees', 'int'],
      long('Description'),
      ref('OwnerId', 'User'),
      ['LastActivityDate', 'date'],
      pick('AccountSource', ...sources),
      ['HQ__Latitude__s', 'double', { scale: 15, compound: 'HQ__c' }],
      ['HQ__Longitude__s', 'double', { scale: 15, compound: 'HQ__c' }],
      ['HQ__c', 'location'],
      ['Ext_Key__c', 'string', { length: 80 }],
      ['Contract_Number__c', 'double', { scale: 0 }],
      formula('Revenue_per_Head__c', 'currency'),
    ]),
    object('Contact', '003', [
      ref('MasterRecordId', 'Contact'),
      ref('AccountId', 'Account'),
      ...person,
      ...address('Mailing'),
      ['Phone', 'phone', { length: 40 }],
      ['MobilePhone', 'phone', { length: 40 }],
      ['Email', 'email', { length: 80 }],
      ['Title', 'string', { length: 128 }],
      pick('LeadSource', ...sources),
      ref('OwnerId', 'User'),
      ['HasOptedOutOfEmail', 'boolean'],
      ['DoNotCall', 'boolean'],
      ['EmailBouncedReason', 'string'],
      ['EmailBouncedDate', 'datetime'],
      ['LastActivityDate', 'date'],
      ['Audience_Key__c', 'string', { length: 80 }],
      pick('Plan__c', 'free', 'silver', 'gold', 'platinum'),
      ['Seats__c', 'double', { scale: 0 }],
      ['Interests__c', 'multipicklist', { length: 4099, filterable: true }],
      ...utm,
      long('Notes__c'),
      formula('Email_Domain__c', 'string'),
      formula('Days_as_Customer__c', 'double'),
    ]),
    object('Lead', '00Q', [
      ref('MasterRecordId', 'Lead'),
      ...person,
      ['Title', 'string', { length: 128 }],
      ['Company', 'string'],
      ['Street', 'textarea', { compound: 'Address' }],
      ['City', 'string', { compound: 'Address' }],
      ['PostalCode', 'string', { compound: 'Address' }],
      ['Country', 'string', { compound: 'Address' }],
      ['Address', 'address'],
      ['Phone', 'phone', { length: 40 }],
      ['Email', 'email', { length: 80 }],
      pick('LeadSource', ...sources),
      pick('Status', 'Open - Not Contacted', 'Working - Contacted', 'Closed - Converted', 'Closed - Not Converted'),
      pick('Rating', 'Hot', 'Warm', 'Cold'),
      ref('OwnerId', 'Group', 'User'),
      ['IsConverted', 'boolean'],
      ['ConvertedDate', 'date'],
      ref('ConvertedAccountId', 'Account'),
      ref('ConvertedContactId', 'Contact'),
      ref('ConvertedOpportunityId', 'Opportunity'),
      ['HasOptedOutOfEmail', 'boolean'],
      ...utm,
      formula('Score__c', 'double'),
    ]),
    object('Opportunity', '006', [
      ref('AccountId', 'Account'),
      ['Name', 'string', { length: 120 }],
      pick('StageName', 'Prospecting', 'Qualification', 'Proposal', 'Negotiation', 'Closed Won', 'Closed Lost'),
      ['Amount', 'currency'],
      ['Probability', 'percent', { scale: 0 }],
      ['CloseDate', 'date'],
      pick('Type', 'New Business', 'Renewal'),
      pick('LeadSource', ...sources),
      ['IsClosed', 'boolean'],
      ['IsWon', 'boolean'],
      pick('ForecastCategory', 'Pipeline', 'BestCase', 'Closed', 'Omitted'),
      ref('CampaignId', 'Campaign'),
      ref('OwnerId', 'User'),
      ...utm,
      formula('Weighted_Amount__c', 'currency'),
    ]),
    object('OpportunityContactRole', '00K', [
      ref('OpportunityId', 'Opportunity'),
      ref('ContactId', 'Contact'),
      pick('Role', 'Decision Maker', 'Influencer'),
      ['IsPrimary', 'boolean'],
    ]),
    object('OpportunityHistory', '008', [
      ref('OpportunityId', 'Opportunity'),
      pick('StageName'),
      ['Amount', 'currency'],
      ['Probability', 'percent', { scale: 0 }],
      ['CloseDate', 'date'],
    ]),
    object('Campaign', '701', [
      ['Name', 'string', { length: 80 }],
      ref('ParentId', 'Campaign'),
      pick('Type', 'Advertisement', 'Email', 'Trade Show'),
      pick('Status', 'Planned', 'In Progress', 'Completed'),
      ['StartDate', 'date'],
      ['EndDate', 'date'],
      ['IsActive', 'boolean'],
      ['BudgetedCost', 'currency'],
      ['ExpectedRevenue', 'currency'],
      formula('NumberOfLeads', 'int'),
      formula('NumberOfContacts', 'int'),
      formula('NumberOfOpportunities', 'int'),
      formula('AmountWonOpportunities', 'currency'),
      ref('OwnerId', 'User'),
      ['UTM_Campaign__c', 'string'],
    ]),
    object('CampaignMember', '00v', [
      ref('CampaignId', 'Campaign'),
      ref('LeadId', 'Lead'),
      ref('ContactId', 'Contact'),
      ref('LeadOrContactId', 'Lead', 'Contact'),
      pick('Status', 'Sent', 'Responded'),
      ['HasResponded', 'boolean'],
      ['FirstRespondedDate', 'date'],
    ]),
    object('CampaignMemberStatus', '01Y', [
      ref('CampaignId', 'Campaign'),
      ['Label', 'string'],
      ['SortOrder', 'int'],
      ['IsDefault', 'boolean'],
      ['HasResponded', 'boolean'],
    ]),
    object('Task', '00T', [
      ref('WhoId', 'Contact', 'Lead'),
      ref('WhatId', 'Account', 'Opportunity'),
      ['Subject', 'string'],
      ['ActivityDate', 'date'],
      pick('Status', 'Not Started', 'Completed'),
      pick('Priority', 'High', 'Normal'),
      pick('TaskSubtype', 'Call', 'Task'),
      ['IsClosed', 'boolean'],
      ['IsArchived', 'boolean'],
      long('Description'),
      ref('OwnerId', 'User'),
    ]),
    object('Event', '00U', [
      ref('WhoId', 'Contact', 'Lead'),
      ref('WhatId', 'Account', 'Opportunity'),
      ['Subject', 'string'],
      ['StartDateTime', 'datetime'],
      ['EndDateTime', 'datetime'],
      ['IsAllDayEvent', 'boolean'],
      ['IsArchived', 'boolean'],
      ref('OwnerId', 'User'),
    ]),
    object('Case', '500', [
      ref('AccountId', 'Account'),
      ref('ContactId', 'Contact'),
      ['CaseNumber', 'string', { length: 30 }],
      ['Subject', 'string'],
      long('Description'),
      pick('Status', 'New', 'Working', 'Escalated', 'Closed'),
      pick('Priority', 'High', 'Medium', 'Low'),
      pick('Origin', 'Web', 'Email', 'Phone'),
      ['IsClosed', 'boolean'],
      ['ClosedDate', 'datetime'],
      ref('OwnerId', 'User'),
    ]),
    object(
      'User',
      '005',
      [
        ['Username', 'string', { length: 80 }],
        ...person,
        ['Email', 'email', { length: 128 }],
        ['IsActive', 'boolean'],
        ref('ProfileId', 'Profile'),
        ref('ManagerId', 'User'),
        ...address('').filter(([name]) => name !== 'Latitude' && name !== 'Longitude'),
        ['LastLoginDate', 'datetime'],
        ['BadgeText', 'string', { length: 80 }],
      ],
      { deletable: false },
    ),
    object('Attachment', '00P', [ref('ParentId', 'Account'), ['Name', 'string'], ['BodyLength', 'int'], ['Body', 'base64']], {
      bulk: false,
    }),
    object('Shipment__c', 'a01', [
      ['Name', 'string', { length: 80 }],
      ref('Contact__c', 'Contact'),
      pick('Carrier__c', 'DHL', 'UPS', 'La Poste'),
      ['Shipped_On__c', 'date'],
      ['Weight__c', 'double', { scale: 3 }],
      ['Value__c', 'currency'],
      ['Is_Gift__c', 'boolean'],
    ]),
    object('Survey__c', 'a02', [['Name', 'string', { length: 80 }], ...wide]),
  ]
  return new Map(all.map((one) => [one.name, one]))
}
