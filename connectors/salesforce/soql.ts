import type { Fields, Slice } from '../../src/core/types.js'
import { deletedDate } from './fields.js'

/** A statement's parts. Names come from describe and ids from records: both are letters, digits and underscores. */
export interface Reading {
  object: string
  cursor: string
}

/** From the slice's start on, before its end. Instants are written without quotes, to the second as Salesforce keeps them. */
export function within({ from, to }: Slice, cursor: string): string {
  const terms = [from === undefined ? undefined : `${cursor} >= ${from}`, to === undefined ? undefined : `${cursor} < ${to}`]
  const given = terms.filter((term) => term !== undefined)
  return given.length === 0 ? '' : ` WHERE ${given.join(' AND ')}`
}

/** Without ORDER BY: it would keep Salesforce from cutting a large table by its ids itself. */
export const selectOf = ({ object, cursor }: Reading, columns: readonly string[], slice: Slice): string =>
  `SELECT ${columns.join(', ')} FROM ${object}${within(slice, cursor)}`

export const countOf = ({ object, cursor }: Reading, slice: Slice): string => `SELECT COUNT() FROM ${object}${within(slice, cursor)}`

/** Fields to ask for, by name; what Weir adds is none of them. */
export const columnsFor = (fields: Fields): string[] => Object.keys(fields).filter((field) => field !== deletedDate)

/** A URL and its headers may have 16,384 bytes together (vendor's limit); the headers and the host get some of them. */
const longestUrl = 14_000
export const fitsUrl = (soql: string): boolean => new URLSearchParams({ q: soql }).toString().length <= longestUrl
