/** Definitions of properties: what an account has beside the vendor's own, with types that its values do not always keep. */

import type { Drift } from '../kit/drift.js'
import { added, own } from './property-names.js'
import type { PropertyRow } from './rows.js'
import type { TypeName } from './types.js'

export type Kind =
  | 'string'
  | 'textarea'
  | 'number'
  | 'bool'
  | 'date'
  | 'datetime'
  | 'select'
  | 'checkbox'
  | 'calculated'
  | 'phone'
  | 'stamp'
  | 'unique'

const shapes: Record<Kind, Pick<PropertyRow, 'type' | 'fieldType'>> = {
  string: { type: 'string', fieldType: 'text' },
  unique: { type: 'string', fieldType: 'text' },
  textarea: { type: 'string', fieldType: 'textarea' },
  phone: { type: 'string', fieldType: 'phonenumber' },
  number: { type: 'number', fieldType: 'number' },
  calculated: { type: 'number', fieldType: 'calculation_equation' },
  bool: { type: 'bool', fieldType: 'booleancheckbox' },
  date: { type: 'date', fieldType: 'date' },
  datetime: { type: 'datetime', fieldType: 'date' },
  stamp: { type: 'datetime', fieldType: 'date' },
  select: { type: 'enumeration', fieldType: 'select' },
  checkbox: { type: 'enumeration', fieldType: 'checkbox' },
}

export function property(name: string, kind: Kind, createdMs: number, custom = false, options: readonly string[] = []): PropertyRow {
  const label = name.replace(/_/g, ' ')
  return {
    name,
    label: label.charAt(0).toUpperCase() + label.slice(1),
    ...shapes[kind],
    groupName: custom ? 'sandbox' : 'information',
    options: options.map((value) => ({ label: value, value })),
    calculated: kind === 'calculated',
    unique: kind === 'unique',
    readOnly: kind === 'calculated' || kind === 'stamp',
    hubspotDefined: !custom,
    archived: false,
    createdMs,
  }
}

/** `extra` more text properties on contacts, named and numbered, for accounts that have a thousand. */
export function definitions(createdMs: number, extra: number): Map<TypeName, Map<string, PropertyRow>> {
  return new Map(
    (Object.keys(own) as TypeName[]).map((type) => {
      const rows = [
        ...own[type].map(([name, kind, options]) => property(name, kind, createdMs, false, options)),
        ...(added[type] ?? []).map(([name, kind, options]) => property(name, kind, createdMs, true, options)),
        ...Array.from({ length: type === 'contacts' ? extra : 0 }, (_, n) => property(extraName(n), 'string', createdMs, true)),
      ]
      return [type, new Map(rows.map((row) => [row.name, row]))]
    }),
  )
}

export const extraName = (n: number) => `custom_property_number_${String(n).padStart(4, '0')}`

export function showProperty(row: PropertyRow): Record<string, unknown> {
  const { name, label, type, fieldType, groupName, options, calculated, unique, readOnly, hubspotDefined, archived, createdMs } = row
  const at = new Date(createdMs).toISOString()
  return {
    name,
    label,
    type,
    fieldType,
    groupName,
    description: '',
    displayOrder: -1,
    options: options.map((option, displayOrder) => ({ ...option, displayOrder, hidden: false })),
    calculated,
    externalOptions: name === 'hubspot_owner_id',
    hasUniqueValue: unique,
    hidden: false,
    hubspotDefined,
    archived,
    formField: !readOnly,
    dataSensitivity: 'non_sensitive',
    modificationMetadata: { archivable: !hubspotDefined, readOnlyDefinition: hubspotDefined, readOnlyValue: readOnly },
    createdAt: at,
    updatedAt: at,
  }
}

/** A property that drift adds is a property of the account: it has a definition, or nobody could ask for it. */
export function learnDrift(properties: ReadonlyMap<string, Map<string, PropertyRow>>, drift: Drift, createdMs: number): void {
  drift.onAdd((rule) => {
    const key = String(rule.key)
    const definitions = rule.vendor === 'hubspot' ? properties.get(rule.of) : undefined
    if (definitions === undefined) return
    const kind = (value: unknown) => (typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'bool' : 'string')
    if (rule.change === 'add') definitions.set(key, property(key, kind(rule.value), createdMs, true))
    const known = definitions.get(key)
    if (rule.change === 'remove' && known !== undefined) definitions.set(key, { ...known, archived: true })
    if (rule.change === 'rename') definitions.set(rule.to, property(rule.to, 'string', createdMs, true))
    if (rule.change === 'retype' && known !== undefined)
      definitions.set(key, {
        ...known,
        ...(rule.to === 'number' ? { type: 'number', fieldType: 'number' } : { type: 'string', fieldType: 'text' }),
      })
  })
}
