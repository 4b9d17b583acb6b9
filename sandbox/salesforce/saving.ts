/** Records saved one by one, by the org's rules: what is required, unique, too long, locked, or no such thing. */

import { Pushed } from '../kit/pushed.js'
import { refuse } from './errors.js'
import { idOf } from './ids.js'
import type { Closed, Org } from './org.js'
import type { Cell, Row } from './rows.js'
import { second } from './rows.js'
import { isCreateable, isExternalId, isIdLookup, isRestricted, isUpdateable, required, type SField, type SObject } from './schema.js'

export interface SaveError {
  statusCode: string
  message: string
  fields: string[]
}
export type Saved = { id: string; success: true; created: boolean; errors: [] } | { id?: string; success: false; errors: SaveError[] }
export type Given = Readonly<Record<string, unknown>>

/** How often each record was effectively made, changed and deleted: by the object's name, of campaign members by the campaign's id. */
export type SavedCounts = Pushed<{ added: number; updated: number; removed: number }>

/** Ids of records that others make begin here. */
const firstNumber = 5_000_000

const error = (statusCode: string, message: string, ...fields: string[]): SaveError => ({ statusCode, message, fields })
export const failedWith = (...errors: SaveError[]): Saved => ({ success: false, errors })
const isError = (made: Record<string, Cell> | SaveError): made is SaveError => Array.isArray(made.fields)
const folded = (value: unknown) => String(value).toLowerCase()

export class Saving {
  readonly switches = {
    /** So many of the next rows find their parent locked. */
    locked: 0,
  }
  readonly pushed: SavedCounts = new Pushed({ added: 0, updated: 0, removed: 0 })
  private made = 0

  constructor(readonly org: Org) {}

  /** @throws Refused for an object that is not there, and a field that no record is found by */
  keyOf(name: string, key: string, closed: Closed): { object: SObject; key: SField } {
    const object = this.org.object(name, closed)
    if (object === undefined) throw refuse(404, 'NOT_FOUND', 'The requested resource does not exist')
    const field = this.org.field(object, key, closed)
    if (field === undefined || !isIdLookup(object, field))
      throw refuse(
        400,
        'INVALID_FIELD',
        `Field name provided, ${key} does not match an External ID, Salesforce Id, or indexed field for ${object.name}`,
      )
    return { object, key: field }
  }

  /** The names in a record that are no fields of the object, nor ways to its parents. */
  unknown(object: SObject, given: Given, closed: Closed): string | undefined {
    return Object.keys(given).find((name) => !this.field(object, name, closed) && !this.link(object, name))
  }

  /** Records of one request, or of one batch of a job: a key that stands twice among them fails in each. */
  upsert(object: SObject, key: SField, records: readonly Given[]): Saved[] {
    const times = new Map<string, number>()
    for (const one of records) times.set(folded(one[key.name]), (times.get(folded(one[key.name])) ?? 0) + 1)
    const known = this.indexOf(object, key.name)
    return records.map((given) => {
      const value = given[key.name]
      if (value === undefined || value === null || value === '') return failedWith(error('MISSING_ARGUMENT', `${key.name} not specified`))
      if (times.get(folded(value))! > 1) return failedWith(error('DUPLICATE_VALUE', `Duplicate external id specified: ${String(value)}`))
      const found = known.get(folded(value)) ?? []
      if (found.length > 1)
        return failedWith(
          error('DUPLICATE_EXTERNAL_ID', `${key.name}: more than one record found for external id field: [${found.map(({ id }) => id)}]`),
        )
      const saved = this.save(object, given, found[0], key.name)
      if (saved.success) known.set(folded(value), [this.org.store.table(object.name).get(saved.id)!])
      return saved
    })
  }

  private indexOf(object: SObject, field: string): Map<string, Row[]> {
    const known = new Map<string, Row[]>()
    for (const row of this.org.rows(object, false)) {
      const value = row.cells[field]
      if (value != null) known.set(folded(value), [...(known.get(folded(value)) ?? []), row])
    }
    return known
  }

  /** @param key the field by which it was looked for: no other record has its value */
  save(object: SObject, given: Given, before?: Row, key?: string): Saved {
    if (this.switches.locked > 0) {
      this.switches.locked--
      return failedWith(error('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record or 1 records: 0015g00000AAAA'))
    }
    const { cells, errors } = this.cellsOf(object, given, before, key)
    if (errors.length > 0) return failedWith(...errors)
    const atMs = second(this.org.nowMs())
    const id = before?.id ?? idOf(object.prefix, firstNumber + ++this.made)
    const row = {
      id,
      cells: { ...before?.cells, ...cells },
      modifiedMs: atMs,
      stampMs: atMs,
      createdMs: before?.createdMs ?? atMs,
      deletedMs: null,
    }
    this.org.store.put(object.name, row)
    if (object.name === 'Campaign' && !before) this.addStatuses(id)
    this.note(object, row, before ? 'updated' : 'added')
    return { id, success: true, created: before === undefined, errors: [] }
  }

  remove(id: string): Saved {
    for (const [name, object] of this.org.store.schema) {
      const row = id.startsWith(object.prefix) ? this.org.store.table(name).get(id) : undefined
      if (!row) continue
      if (row.deletedMs !== null) return failedWith(error('ENTITY_IS_DELETED', 'entity is deleted'))
      this.org.store.remove(name, id, this.org.nowMs())
      this.note(object, row, 'removed')
      return { id, success: true, created: false, errors: [] }
    }
    return failedWith(error('NOT_FOUND', 'The requested resource does not exist'))
  }

  private note(object: SObject, row: Row, what: 'added' | 'updated' | 'removed'): void {
    const { CampaignId, ContactId, LeadId } = row.cells
    const isMember = object.name === 'CampaignMember'
    const of = isMember ? String(CampaignId) : object.name
    const who = isMember ? String(ContactId ?? LeadId) : row.id
    this.pushed.count(of, who, what)
  }

  private addStatuses(campaign: string): void {
    const object = this.org.store.schema.get('CampaignMemberStatus')!
    for (const [i, Label] of ['Sent', 'Responded'].entries()) {
      const cells = { CampaignId: campaign, Label, SortOrder: i + 1, IsDefault: i === 0, HasResponded: i === 1 }
      const at = second(this.org.nowMs())
      const id = idOf(object.prefix, firstNumber + ++this.made)
      this.org.store.put(object.name, { id, cells, createdMs: at, modifiedMs: at, stampMs: at, deletedMs: null })
    }
  }

  private field = (object: SObject, name: string, closed: Closed = new Set()) => this.org.field(object, name, closed)
  private link = (object: SObject, name: string): SField | undefined =>
    [...object.fields.values()].find(({ relationship, referenceTo }) => relationship === name && referenceTo.length > 0)

  private cellsOf(object: SObject, given: Given, before?: Row, key?: string): { cells: Record<string, Cell>; errors: SaveError[] } {
    const cells: Record<string, Cell> = {}
    const errors: SaveError[] = []
    for (const [name, value] of Object.entries(given)) {
      const field = this.field(object, name)
      if (!field) {
        const met = this.parentOf(this.link(object, name)!, value as Given | null)
        if (isError(met)) errors.push(met)
        else Object.assign(cells, met)
        continue
      }
      const isOpen = before ? isUpdateable(object, field) : isCreateable(object, field)
      const made = cellOf(field, value)
      if (!isOpen && !(before && before.cells[field.name] === made))
        errors.push(
          error(
            'INVALID_FIELD_FOR_INSERT_UPDATE',
            `Unable to create/update fields: ${field.name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
            field.name,
          ),
        )
      else if (typeof made === 'object' && made !== null) errors.push(made)
      else cells[field.name] = made
    }
    const missing = (required[object.name] ?? []).filter((name) => (name in cells ? cells[name] === null : !before))
    if (missing.length > 0) errors.push(error('REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.join(', ')}]`, ...missing))
    if (errors.length === 0) errors.push(...this.clashes(object, cells, before, key))
    return { cells, errors }
  }

  private parentOf(link: SField, value: Given | null): Record<string, Cell> | SaveError {
    const name = `${link.name}`
    if (value === null) return { [name]: null }
    const [key, wanted] = Object.entries(value).find(([one]) => one !== 'attributes')!
    const parent = this.org.store.schema.get(link.referenceTo.at(-1)!)!
    const found = this.indexOf(parent, key).get(folded(wanted))
    if (found?.length === 1) return { [name]: found[0]!.id }
    return error('INVALID_FIELD', `Foreign key external ID: ${String(wanted)} not found for field ${key} in entity ${parent.name}`)
  }

  /** What only other records can refuse. */
  private clashes(object: SObject, cells: Readonly<Record<string, Cell>>, before?: Row, key?: string): SaveError[] {
    if (object.name === 'CampaignMember' && !before) return this.memberClashes(cells)
    if (object.name === 'Lead' && before?.cells.IsConverted === true)
      return [error('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead')]
    const unique = Object.keys(cells).filter((name) => name !== key && isExternalId(object.fields.get(name)!) && cells[name] !== null)
    return unique.flatMap((name) => {
      if (before && folded(before.cells[name]) === folded(cells[name])) return []
      const other = [...this.org.rows(object, false)].find(
        (row) => row.id !== before?.id && folded(row.cells[name]) === folded(cells[name]),
      )
      return other ? [error('DUPLICATE_VALUE', `duplicate value found: ${name} duplicates value on record with id: ${other.id}`, name)] : []
    })
  }

  private memberClashes({ CampaignId, ContactId, LeadId, Status }: Readonly<Record<string, Cell>>): SaveError[] {
    const { store } = this.org
    const living = (name: string, id: Cell | undefined) => id != null && store.table(name).get(String(id))?.deletedMs === null
    if (!living('Campaign', CampaignId)) return [error('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', 'CampaignId')]
    if ((ContactId == null) === (LeadId == null))
      return [error('REQUIRED_FIELD_MISSING', 'Either a contact or a lead is required', 'ContactId', 'LeadId')]
    if (ContactId != null && !living('Contact', ContactId))
      return [error('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', 'ContactId')]
    if (LeadId != null && !living('Lead', LeadId)) return [error('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', 'LeadId')]
    if (LeadId != null && store.table('Lead').get(String(LeadId))?.cells.IsConverted === true)
      return [error('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead', 'LeadId')]
    const labels = [...store.table('CampaignMemberStatus').values()].filter(({ cells }) => cells.CampaignId === CampaignId)
    if (Status != null && !labels.some(({ cells }) => cells.Label === Status))
      return [error('FIELD_INTEGRITY_EXCEPTION', 'Status: not a member status of this campaign', 'Status')]
    const isMember = [...this.org.rows(store.schema.get('CampaignMember')!, false)].some(
      ({ cells }) => cells.CampaignId === CampaignId && (ContactId == null ? cells.LeadId === LeadId : cells.ContactId === ContactId),
    )
    return isMember ? [error('DUPLICATE_VALUE', 'Already a campaign member.')] : []
  }
}

const address = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/

/** A value in the form its field keeps it, or why not. JSON and CSV come to the same. */
function cellOf(field: SField, value: unknown): Cell | SaveError {
  const { name, type } = field
  if (value === null || value === '') return type === 'boolean' ? false : null
  const odd = (what: string) => error('INVALID_TYPE_ON_FIELD_IN_RECORD', `${name}: value not of required type: ${what}`, name)
  if (typeof value === 'object') return odd('object')
  if (type === 'boolean') return /^(true|1)$/i.test(String(value)) ? true : /^(false|0)$/i.test(String(value)) ? false : odd('boolean')
  if (['int', 'double', 'currency', 'percent'].includes(type)) return Number.isFinite(Number(value)) ? Number(value) : odd('number')
  if (type === 'date') return /^\d{4}-\d\d-\d\d$/.test(String(value)) ? String(value) : odd('date')
  if (type === 'datetime') {
    const ms = Date.parse(String(value))
    return /T.*(Z|[+-]\d\d:?\d\d)$/.test(String(value)) && Number.isFinite(ms) ? second(ms) : odd('dateTime')
  }
  const text = String(value)
  if (type === 'email' && !address.test(text)) return error('INVALID_EMAIL_ADDRESS', `${name}: invalid email address: ${text}`, name)
  if (isRestricted(field) && !field.values.includes(text))
    return error('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', `${name}: bad value for restricted picklist field: ${text}`, name)
  if (text.length > field.length && field.length > 0)
    return error('STRING_TOO_LONG', `${name}: data value too large: ${text} (max length=${field.length})`, name)
  return text
}
