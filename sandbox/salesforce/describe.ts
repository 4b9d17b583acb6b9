/** What the org says of its objects: the list of them, and each with its fields. */
import type { Reply, Request } from '../kit/http.js'
import { jsonType, notFound } from './errors.js'
import type { Closed, Org } from './org.js'
import { isCreateable, isExternalId, isIdLookup, isRestricted, isUpdateable, type SField, type SObject } from './schema.js'

const soapTypes: Record<string, string> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  address: 'urn:address',
  location: 'urn:location',
  base64: 'xsd:base64Binary',
}

function summary({ name, label, prefix, custom, deletable }: SObject, version: string) {
  const url = `/services/data/v${version}/sobjects/${name}`
  return {
    name,
    label,
    labelPlural: `${label}s`,
    keyPrefix: prefix,
    custom,
    customSetting: false,
    queryable: true,
    retrieveable: true,
    replicateable: deletable,
    createable: true,
    updateable: true,
    deletable,
    undeletable: deletable,
    searchable: true,
    triggerable: true,
    layoutable: true,
    mruEnabled: true,
    feedEnabled: false,
    deprecatedAndHidden: false,
    hasSubtypes: false,
    isSubtype: false,
    isInterface: false,
    urls: { sobject: url, describe: `${url}/describe`, rowTemplate: `${url}/{ID}` },
  }
}

function shownField(one: SField, object: SObject) {
  const custom = one.name.endsWith('__c') || one.name.endsWith('__s')
  return {
    name: one.name,
    label: one.name.replace(/__[cs]$/, '').replace(/_/g, ' '),
    type: one.type,
    soapType: soapTypes[one.type] ?? 'xsd:string',
    length: one.length,
    byteLength: one.length * 3,
    precision: one.precision,
    scale: one.scale,
    digits: one.type === 'int' ? 8 : 0,
    nillable: !['Id', 'SystemModstamp', 'IsDeleted'].includes(one.name) && one.type !== 'boolean',
    unique: isExternalId(one),
    caseSensitive: false,
    externalId: isExternalId(one),
    idLookup: isIdLookup(object, one),
    custom,
    calculated: one.calculated,
    calculatedFormula: one.calculated && custom ? 'formula' : null,
    createable: isCreateable(object, one),
    updateable: isUpdateable(object, one),
    filterable: one.filterable,
    sortable: one.sortable,
    groupable: one.filterable && one.type !== 'datetime',
    aggregatable: one.filterable,
    defaultedOnCreate: one.type === 'boolean',
    encrypted: false,
    compoundFieldName: one.compound,
    referenceTo: one.referenceTo,
    relationshipName: one.relationship,
    polymorphicForeignKey: one.referenceTo.length > 1,
    picklistValues: one.values.map((value) => ({ value, label: value, active: true, defaultValue: false, validFor: null })),
    restrictedPicklist: isRestricted(one),
    deprecatedAndHidden: false,
    htmlFormatted: false,
    permissionable: custom,
    autoNumber: false,
  }
}

export function describeGlobal(org: Org, closed: Closed, request: Request, version: string): Reply {
  const sobjects = [...org.store.schema.values()].filter(({ name }) => !closed.has(name)).map((one) => summary(one, version))
  return fresh(org, request, { encoding: 'UTF-8', maxBatchSize: 200, sobjects })
}

export function describeObject(org: Org, closed: Closed, request: Request, version: string): Reply {
  const object = org.object(request.params.name ?? '', closed)
  if (object === undefined) throw notFound()
  const fields = org.fields(object, closed).map((one) => shownField(one, object))
  return fresh(org, request, { ...summary(object, version), fields, childRelationships: [], recordTypeInfos: [] })
}

/** Definitions are dated by the day the org was made plus a second for each change since. */
function fresh(org: Org, request: Request, body: object): Reply {
  const changed = new Date(Date.UTC(2026, 0, 1) + org.version * 1000)
  const since = Date.parse(String(request.headers['if-modified-since'] ?? ''))
  if (since >= changed.getTime()) return { status: 304 }
  return { status: 200, body, contentType: jsonType, headers: { 'last-modified': changed.toUTCString() } }
}
