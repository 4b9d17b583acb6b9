/**
 * Reads a row or a dead letter back by the documented mapping (docs/guides/schema-changes.md), and says where it differs from the record
 * that went in. Knows nothing of Weir's own encoder.
 */
import { type Doc, decimal, instant, same } from './exact.js'

export interface StoredColumn {
  field: string
  name: string
  type: string
}

/** A value where it was found: a cell of a column, or a member of `_weir_extra` or of a letter. */
export interface Place {
  field: string
  type: string
  held: Doc
}

const types = ['text', 'bigint', 'numeric', 'double', 'boolean', 'timestamp', 'date', 'json']

/** Cells of a row, as `to_jsonb` writes it, by the vendor's field; and the members of `_weir_extra`. */
export function placesOf(row: Doc, columns: readonly StoredColumn[]): Place[] {
  if (row.is !== 'object') throw new Error('a row is an object')
  const extra = row.members.get('_weir_extra')
  return [
    ...columns.map(({ field, name, type }) => ({ field, type, held: row.members.get(name) ?? { is: 'null' as const } })),
    ...membersOf(extra ?? { is: 'null' }, 'json'),
  ].filter(isThere)
}

export const membersOf = (doc: Doc, type: string): Place[] =>
  doc.is === 'object' ? [...doc.members].map(([field, held]) => ({ field, type, held })).filter(isThere) : []

/** A field that is null says what a missing one says. */
const isThere = ({ held }: Place) => held.is !== 'null'

/** Does a place of this type say exactly this value? */
function holds({ type, held }: Place, value: Doc): boolean {
  switch (type) {
    case 'json':
      return same(held, value)
    case 'text':
      if (held.is !== 'text') return false
      if (value.is === 'text') return held.value === value.value
      if (value.is === 'boolean') return held.value === String(value.value)
      return value.is === 'number' && decimal(held.value) === decimal(value.text)
    case 'boolean':
      return held.is === 'boolean' && (same(held, value) || (value.is === 'text' && value.value === String(held.value)))
    case 'date':
      return held.is === 'text' && same(held, value)
    case 'timestamp':
      return held.is === 'text' && value.is === 'text' && instant(value.value) !== undefined && instant(held.value) === instant(value.value)
    case 'refused':
      return same(held, value) || types.some((type) => type !== 'json' && holds({ field: '', type, held }, value))
    default:
      if (held.is !== 'number') return false
      // A text fills a number's column only where the column writes it back the same.
      return value.is === 'number'
        ? same(held, value)
        : value.is === 'text' && isPlain(value.value) && same(held, { is: 'number', text: value.value })
  }
}

const isPlain = (text: string) => /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && (decimal(text) !== '0' || !text.startsWith('-'))

/** How `places` differ from the record; nothing where they give it back field by field. */
export function differences(record: Doc, places: readonly Place[]): string[] {
  if (record.is !== 'object') return ['not an object']
  const open = new Set(places)
  const found: string[] = []
  const takeIf = (fits: (place: Place) => boolean): boolean => {
    for (const place of open) if (fits(place)) return open.delete(place)
    return false
  }
  for (const [field, value] of record.members)
    if (value.is !== 'null' && !takeIf((place) => place.field === field && holds(place, value)))
      found.push(`"${field}" is lost: ${shown(value)}`)
  for (const { field, held } of open) found.push(`"${field}" was never sent: ${shown(held)}`)
  return found
}

const shown = (doc: Doc) => JSON.stringify(doc, (_, value) => (value instanceof Map ? Object.fromEntries(value) : value)).slice(0, 200)
