import * as z from 'zod'
import type { Rec, Stream } from '../../src/core/types.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import * as fields from './fields.js'
import { countOf, listed, searched } from './records.js'

/** CRM objects: the standard ones, and those that a user names. All are read in one way. */

const minute = 60_000
const modified = 'hs_lastmodifieddate'

/**
 * The first read lists everything, later ones search for what changed. Search shows changes late and out of order, up to minutes, so
 * it stops five minutes short of now and reads ten again. Archived records show only in a list of their own.
 */
const crm = (object: string, description: string, changedBy = modified): DeclaredStream => ({
  description,
  key: ['id'],
  fields: fields.envelope,
  discover: fields.propertiesOf(object),
  total: countOf(object),
  mode: 'merge',
  modes: ['merge', 'append', 'replace', 'history'],
  record: fields.flat,
  cursor: { field: 'updatedAt', ordered: false },
  deletedAt: 'archivedAt',
  passes: [
    {
      slicing: { by: 'time', lookbackMs: 10 * minute, lagMs: 5 * minute, first: 'whole' },
      read: (context) => (context.slice.from === undefined ? listed(object, false) : searched(object, changedBy))(context),
    },
    { name: 'archived', seesDeletions: true, slicing: { by: 'all' }, read: listed(object, true) },
  ],
})

export const objects = {
  contacts: crm('contacts', 'People, with every property.', 'lastmodifieddate'),
  companies: crm('companies', 'Companies, with every property.'),
  deals: crm('deals', 'Deals, with every property.'),
  tickets: crm('tickets', 'Tickets, with every property.'),
  calls: crm('calls', 'Calls that were logged.'),
  emails: crm('emails', 'Mails of salespeople to single contacts; what marketing sends is marketing_emails.'),
  meetings: crm('meetings', 'Meetings.'),
  notes: crm('notes', 'Notes.'),
  tasks: crm('tasks', 'Tasks.'),
  products: crm('products', 'Products of the library.'),
  line_items: crm('line_items', 'What was sold in a deal or quote.'),
  quotes: crm('quotes', 'Quotes.'),
} satisfies Record<string, DeclaredStream>

/** A stream that the user defines: one more object, of the account's own or of HubSpot's. */
export const custom = z.object({
  object: z
    .string()
    .regex(/^[\w-]+$/, 'letters, digits, _ and - only')
    .meta({ description: 'Custom object (`2-123`, `p999_machines`), or one of HubSpot’s that has no stream of its own (`leads`).' }),
})

export const customStream = (name: string, given: Rec): Stream => {
  const object = String(given.object)
  return defineStreams({ [name]: crm(object, `Records of ${object}, with every property.`) })[name]!
}
