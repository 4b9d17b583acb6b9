import type { Field } from 'jsforce'
import { type FieldMap, isSource } from '../../../src/core/audience.js'
import { Failure } from '../../../src/core/failure.js'
import type { Http } from '../../../src/core/types.js'
import { recordsAt } from '../../../src/extract/paginate.js'
import { path } from '../api.js'

/** The fields of an object that Weir's user may see. @throws Failure `config` where there is no such object */
export async function described(http: Http, object: string): Promise<Field[]> {
  const { status, body } = await http.request({ path: path(http, `/sobjects/${encodeURIComponent(object)}/describe`), refusals: [404] })
  if (status === 404) throw new Failure('config', `Salesforce has no object ${object}, or it is closed to Weir’s user.`)
  return recordsAt('fields')(body) as unknown as Field[]
}

/** Which identifier fills the field by which records are found. */
export type FoundBy = 'email' | 'external_id'

/** @throws Failure `config` where no record can be found by it */
export function keyField(fields: readonly Field[], object: string, match: string): { field: Field; by: FoundBy } {
  const field = named(fields, object, match, 'match')
  if (!field.externalId && !field.idLookup)
    throw new Failure(
      'config',
      `match: no record can be found by ${object}.${match}: it is no external id. Mark it as one in Salesforce, or name another.`,
    )
  return { field, by: field.type === 'email' ? 'email' : 'external_id' }
}

/** @throws Failure `config` with the field and what is wrong with it */
function named(fields: readonly Field[], object: string, name: string, where: string): Field {
  const field = fields.find((one) => one.name === name)
  if (field) return field
  // A name in another case leaves the file of failed rows empty (known issue of Bulk 2.0).
  const near = fields.find((one) => one.name.toLowerCase() === name.toLowerCase())
  throw new Failure(
    'config',
    `${where}: ${object} has no field ${name}, or it is hidden from Weir’s user.${near ? ` There is ${near.name}: write it so.` : ''}`,
  )
}

/** Fields that need a form of their own: instants, and those that lead to parents. */
export interface Forms {
  instants: string[]
  parents: string[]
}

/** Does the mapping fit what the org has now? @throws Failure `config` that names the field */
export async function checkMap(http: Http, object: string, fields: readonly Field[], map: FieldMap, match: string): Promise<Forms> {
  const forms: Forms = { instants: [], parents: [] }
  for (const [name, source] of Object.entries(map)) {
    const where = `map.${name}`
    if (name === match)
      throw new Failure('config', `${where}: it is the field of "match", which the identity fills. Leave it out of "map".`)
    if (isSource(source)) {
      const field = named(fields, object, name, where)
      checkWritable(field, object, where)
      if (field.type === 'datetime') forms.instants.push(name)
      if (field.type === 'reference') forms.parents.push(name)
      continue
    }
    const link = fields.find(({ relationshipName }) => relationshipName === name)
    const keys = Object.entries(source)
    const [key, inner] = keys[0] ?? []
    if (!link || key === undefined || keys.length !== 1 || !isSource(inner!))
      throw new Failure('config', `${where}: expected one external id of a parent, such as Account: { Ext_Id__c: company_id }.`)
    checkWritable(link, object, where)
    const [parent = ''] = link.referenceTo ?? []
    keyField(await described(http, parent), parent, key)
    forms.parents.push(name)
  }
  return forms
}

function checkWritable({ name, createable, updateable, calculated }: Field, object: string, where: string): void {
  if (createable && updateable) return
  const why = calculated
    ? 'Salesforce works it out'
    : createable
      ? 'it can be set when a record is made, and never after'
      : 'it is read-only, or Weir’s user may not edit it'
  throw new Failure('config', `${where}: ${object}.${name} cannot be written: ${why}. Leave it out of "map".`)
}
