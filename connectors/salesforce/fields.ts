import type { Field as Described } from 'jsforce'
import { Failure } from '../../src/core/failure.js'
import type { Field, Fields, FieldType, Http, Rec } from '../../src/core/types.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { path } from './api.js'

/** The instant of a deletion, which Salesforce does not give: that of the change by which the record went into the bin. */
export const deletedDate = 'DeletedDate'

/** What every object has. */
export function envelope(cursor: string, hasBin: boolean): Fields {
  return {
    Id: { type: 'text' },
    [cursor]: { type: 'timestamp', required: true },
    ...(hasBin ? { IsDeleted: { type: 'boolean' }, [deletedDate]: { type: 'timestamp' } } : {}),
  }
}

/** Describe's types → columns. Text is what none of these is; "Number(18,0)" is a double there, so no number passes by a double here. */
const types: Readonly<Record<string, FieldType>> = {
  boolean: 'boolean',
  int: 'bigint',
  long: 'bigint',
  double: 'numeric',
  currency: 'numeric',
  percent: 'numeric',
  date: 'date',
  datetime: 'timestamp',
  json: 'json',
  complexvalue: 'json',
}

/** Bulk refuses objects within a record; their parts are fields of their own. Files are a path in a query, never their bytes. */
const left: ReadonlySet<string> = new Set(['address', 'location', 'base64'])

/**
 * The fields of an object that this user may see, as columns. What others are made of (compounds) is left out, but for `Name`,
 * which is plain text although first and last name point to it.
 */
export function columnsOf(described: readonly Described[]): Fields {
  const compounds = new Set(described.map(({ compoundFieldName }) => compoundFieldName).filter((name) => name !== 'Name'))
  return Object.fromEntries(
    described
      .filter(({ name, type, deprecatedAndHidden }) => !left.has(type) && !compounds.has(name) && !deprecatedAndHidden)
      .map((field) => [field.name, columnOf(field)]),
  )
}

const columnOf = ({ type, label, calculated }: Described): Field => ({
  type: types[type] ?? 'text',
  // SystemModstamp stays where it is when a formula's result changes: the column is as old as the record's last edit.
  description: calculated ? `${label} (formula: its changes alone do not bring a record again)` : label,
})

/** @throws Failure `permission` when the object is gone or closed; `config` when it cannot be read by its cursor. */
export const fieldsOf =
  (object: string, cursor: string) =>
  async (http: Http): Promise<Fields> => {
    const { body } = await http.request({ path: path(http, `/sobjects/${object}/describe`) })
    const described = recordsAt('fields')(body) as unknown as Described[]
    if (at(body, 'queryable') === false) throw new Failure('config', `Salesforce does not let ${object} be queried: leave it out.`)
    const by = described.find(({ name }) => name === cursor)
    if (by === undefined || !by.filterable)
      throw new Failure(
        'config',
        `${object} cannot be read by ${cursor}: ${by === undefined ? 'it has no such field' : 'it cannot be filtered'}. Set cursor to a date field that can be.`,
      )
    return columnsOf(described)
  }

/**
 * Records as both ways of reading give them alike: no attributes, an empty text is null, instants end in Z, numbers are plain
 * decimals. A `.0`, an exponent or `+0000` would be a change where there is none.
 */
export function shaped(fields: Fields): (raw: Rec) => Rec {
  return ({ attributes, ...raw }) => {
    for (const name in raw) {
      const value = raw[name]
      if (value === '') raw[name] = null
      else if (value !== null && value !== undefined) {
        const type = fields[name]?.type
        if (type === 'timestamp') raw[name] = typeof value === 'string' ? value.replace(/\+0000$/, 'Z') : value
        else if (type === 'boolean') raw[name] = value === 'true' ? true : value === 'false' ? false : value
        else if (type === 'numeric' || type === 'bigint') raw[name] = decimal(String(value)) ?? value
      }
    }
    return raw
  }
}

/** A number as a plain decimal without needless zeros: "3.0" → "3", "1.25E3" → "1250"; undefined for what is none. */
export function decimal(number: string): string | undefined {
  const [, sign = '', whole = '', part = '', power = '0'] = /^([-+]?)(\d+)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(number) ?? []
  if (whole === '' || Math.abs(Number(power)) > 400) return undefined
  const shift = Number(power)
  const digits = `${'0'.repeat(Math.max(0, -shift))}${whole}${part}${'0'.repeat(Math.max(0, shift))}`
  const point = whole.length + Math.max(0, -shift) + shift
  const before = digits.slice(0, point).replace(/^0+(?=\d)/, '')
  const after = digits.slice(point).replace(/0+$/, '')
  const value = after === '' ? before || '0' : `${before || '0'}.${after}`
  return sign === '-' && value !== '0' ? `-${value}` : value
}

/** The deletion's instant beside the record; of one that lives there is none. */
export const withDeletion =
  (cursor: string) =>
  (raw: Rec): Rec => ({ ...raw, [deletedDate]: raw[deletedDate] ?? (raw.IsDeleted === true ? raw[cursor] : null) })
