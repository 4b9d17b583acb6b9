import { createHash } from 'node:crypto'

/**
 * Who a record is, as text of one length, where what tells records apart may be longer than an index takes or must not stand in a
 * checkpoint (search terms, addresses). @param parts what tells them apart, in an order that never changes
 */
export const rowId = (parts: readonly unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
