import {
  type AudienceDefinition,
  type Destination,
  type FieldMap,
  type FieldSource,
  type IdentifierKind,
  isSource,
} from '../../core/audience.js'
import { canonical } from '../../core/canonical.js'
import { ExactNumber, type Rec, type Value } from '../../core/types.js'
import { parseJson } from '../../http/json.js'
import type { Mark } from '../../identity/marks.js'
import { personMarks } from '../../identity/person-marks.js'
import { countryOf, writeIdentifiers } from '../../identity/write.js'
import type { Encoded, Person } from '../../warehouse/contract/audiences.js'

/** People as one destination takes them; in the order given. */
export function encoder(
  definition: AudienceDefinition,
  name: string,
  destination: Destination,
  mark: Mark,
): (people: readonly Person[]) => Encoded[] {
  const { identity, hashed, defaultCountry } = definition
  const { map } = definition.destinations[name]!
  const kinds = Object.entries(identity) as [IdentifierKind, string][]
  return (people) =>
    people.map(({ key, body }) => {
      const row = parseJson(body) as Rec
      const given = Object.fromEntries(kinds.map(([kind, column]) => [kind, textOf(row[column])]))
      const written = writeIdentifiers(destination, given, { country: defaultCountry, hashed })
      const marks = telling.flatMap((kind) =>
        given[kind] === undefined
          ? []
          : personMarks(mark, kind, given[kind], { country: countryOf(given.country, defaultCountry), isHashed: hashed.includes(kind) }),
      )
      if ('excluded' in written) return { key, marks, ...written }
      const { identifiers } = written
      const fields = destination.takesFields ? fieldsOf(map, row) : {}
      const id = canonical(identifiers)
      return { key, marks, identifiers, fields, identity: mark(id), content: mark(`${id}\n${canonical(fields)}`) }
    })
}

/** Identifiers that a person asks to be erased by. */
const telling = ['email', 'phone'] as const

const textOf = (value: Value): string | undefined => (value === null || value === undefined ? undefined : String(value))

function fieldsOf(map: FieldMap, row: Rec): Rec {
  return Object.fromEntries(
    Object.entries(map).map(([field, source]) => [field, isSource(source) ? valueFrom(source, row) : fieldsOf(source as FieldMap, row)]),
  )
}

/** What cannot take the form that is asked for stays as it is: the vendor's own word on it says more than ours. */
function valueFrom(source: FieldSource, row: Rec): Value {
  if ('value' in source) return source.value
  const value = plain(row[source.column])
  if (value === null) return null
  switch (source.as) {
    case undefined:
      return value
    case 'text':
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    case 'number':
      return typeof value === 'string' && value.trim() !== '' && Number.isSafeInteger(Math.trunc(Number(value))) ? Number(value) : value
    case 'boolean':
      return value === 'true' || value === 't' || value === 1 ? true : value === 'false' || value === 'f' || value === 0 ? false : value
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? value.slice(0, 10) : value
    case 'list':
      return Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[;,]/).map((part) => part.trim()) : [value]
  }
}

/** A number that a double does not hold goes out as text: exact, or not at all. */
function plain(value: Value): Value {
  if (value === undefined) return null
  if (typeof value === 'bigint' || value instanceof ExactNumber) return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
  return value
}
