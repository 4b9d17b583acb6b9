import { Failure } from '../../src/core/failure.js'
import type { Http, Page, ReadContext, Rec } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { recordsAt } from '../../src/extract/paginate.js'
import { path } from './api.js'
import { version } from './fields.js'
import { batched, listed, searched } from './records.js'

/**
 * What the properties of a record were before. Records that changed are read again with all that HubSpot still knows of their past, a
 * row for each value; it keeps a limited number of values, so what is older stands in the table only if it was read in time.
 */

const minute = 60_000
/** With histories a batch takes 50 records. */
const size = 50

const history = (object: string, changedBy = 'hs_lastmodifieddate'): DeclaredStream => ({
  description: `Every value that the properties of ${object} have had; calculated ones left out.`,
  // Each record is read twice, the second time with all of its past.
  isDefault: false,
  key: ['id', 'property', 'timestamp', 'source'],
  fields: version,
  mode: 'merge',
  modes: ['merge', 'append'],
  cursor: { field: 'timestamp', ordered: false },
  record: ({ id, property, value, timestamp, sourceType, sourceId, sourceLabel, updatedByUserId }) => ({
    id,
    property,
    value: value === '' ? null : value,
    timestamp,
    // Two sources may write one property in the same instant; not each has an id.
    source: sourceId || sourceType || 'UNKNOWN',
    source_type: sourceType,
    source_label: sourceLabel,
    updated_by_user_id: updatedByUserId,
  }),
  passes: [
    {
      slicing: { by: 'time', lookbackMs: 10 * minute, lagMs: 5 * minute, first: 'whole' },
      read: (context) => read(object, changedBy, context),
    },
  ],
})

async function* read(object: string, changedBy: string, context: ReadContext): AsyncIterable<Page> {
  const { http, slice } = context
  const names = await kept(http, object)
  const ids = slice.from === undefined ? listed(object, false) : searched(object, changedBy)
  for await (const { records, resume } of ids({ ...context, fields: { hs_object_id: { type: 'text' } } })) {
    const read = await batched(http, object, records, { propertiesWithHistory: names }, { size })
    yield { records: read.flatMap(versions), resume }
  }
}

/** Properties that have a past worth keeping: calculated ones follow from others, and change without end. */
async function kept(http: Http, object: string): Promise<string[]> {
  const { body } = await http.request({ path: path(http, 'properties', `/${object}`) })
  const found = recordsAt('results')(body).filter(({ calculated, archived }) => calculated !== true && archived !== true)
  // No object is without properties; and asked for none, HubSpot would tell nothing of the past.
  if (found.length === 0) throw new Failure('transient', `HubSpot named no properties of ${object}.`)
  return found.map(({ name }) => String(name))
}

const versions = ({ id, propertiesWithHistory }: Rec): Rec[] =>
  Object.entries((propertiesWithHistory ?? {}) as Record<string, Rec[]>).flatMap(([property, values]) =>
    values.map((value) => ({ id, property, ...value })),
  )

export const histories = {
  contact_history: history('contacts', 'lastmodifieddate'),
  company_history: history('companies'),
  deal_history: history('deals'),
  ticket_history: history('tickets'),
} satisfies Record<string, DeclaredStream>
