import { Failure } from '../../src/core/failure.js'
import type { Http, Page, ReadContext, Rec } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { path } from './api.js'
import { association } from './fields.js'
import { found, listed } from './records.js'

/**
 * Which records belong together. An association moves no date of a record, so nothing tells what changed: all are read again in each
 * run, and what is gone there is gone here. The cost is a request for each hundred records, and one for each thousand and kind of
 * partner. Archived records are left out.
 */

/** A batch read takes 1,000 records (changelog). */
const inputsMax = 1_000

interface Input {
  id: string
  after?: string
}

/** One record for each type of each link: `Primary` is a type beside the plain one. */
const linked = (description: string, isDefault: boolean, from: readonly string[], to: readonly string[]): DeclaredStream => ({
  description,
  isDefault,
  key: ['from_object', 'from_id', 'to_object', 'to_id', 'category', 'type_id'],
  fields: association,
  mode: 'replace',
  modes: ['replace'],
  parallel: 2,
  record: ({ from, fromId, to, toId, category, typeId, label }) => ({
    from_object: from,
    from_id: fromId,
    to_object: to,
    // A number in some versions, a text in others.
    to_id: String(toId),
    category,
    type_id: typeId,
    label,
  }),
  passes: [
    {
      slicing: {
        by: 'parent',
        async *parents() {
          yield* from
        },
      },
      read: (context) => read(to, context),
    },
  ],
})

async function* read(tos: readonly string[], context: ReadContext): AsyncIterable<Page> {
  const { http, slice } = context
  const from = slice.parent!
  const ids = listed(from, false)({ ...context, fields: { hs_object_id: { type: 'text' } } })
  for await (const { records, resume } of gathered(ids, inputsMax)) {
    const inputs = records.map(({ id }) => ({ id: String(id) }))
    const read = await Promise.all(tos.map((to) => links(http, from, to, inputs)))
    yield { records: read.flat(), resume }
  }
}

/** Pages put together until they hold about so many records. */
async function* gathered(pages: AsyncIterable<Page>, count: number): AsyncIterable<Page> {
  let records: Rec[] = []
  for await (const page of pages) {
    records = records.concat(page.records)
    const isFull = records.length + page.records.length > count
    if (!isFull && page.resume !== undefined) continue
    yield { records, resume: page.resume }
    records = []
  }
}

async function links(http: Http, from: string, to: string, inputs: readonly Input[]): Promise<Rec[]> {
  const links: Rec[] = []
  // A record with many partners shows them in pages of its own.
  for (let left = inputs; left.length > 0; ) {
    const { body } = await http.request({
      method: 'POST',
      path: path(http, 'associations', `/${from}/${to}/batch/read`),
      body: { inputs: left },
      budget: 'associations',
    })
    const results = found(body, `read ${to} of ${from}`)
    for (const result of results)
      for (const { toObjectId, associationTypes } of result.to as { toObjectId: unknown; associationTypes: Rec[] }[])
        for (const type of associationTypes) links.push({ from, fromId: at(result, 'from.id'), to, toId: toObjectId, ...type })
    left = nextOf(results, left)
  }
  return links
}

function nextOf(results: readonly Rec[], asked: readonly Input[]): Input[] {
  return results.flatMap((result) => {
    const after = at(result, 'paging.next.after')
    if (after === undefined) return []
    const input = { id: String(at(result, 'from.id')), after: String(after) }
    if (asked.some(({ id, after }) => id === input.id && after === input.after))
      throw new Failure('permanent', 'HubSpot’s associations of one record lead in a circle.')
    return [input]
  })
}

const sales = ['contacts', 'companies', 'deals', 'tickets']
export const associations = {
  deal_associations: linked('Contacts, companies and line items of each deal.', true, ['deals'], ['contacts', 'companies', 'line_items']),
  ticket_associations: linked('Contacts, companies and deals of each ticket.', true, ['tickets'], ['contacts', 'companies', 'deals']),
  contact_associations: linked('Companies of each contact.', false, ['contacts'], ['companies']),
  company_associations: linked('Contacts of each company.', false, ['companies'], ['contacts']),
  engagement_associations: linked(
    'Whom and what calls, mails, meetings, notes and tasks were about.',
    false,
    ['calls', 'emails', 'meetings', 'notes', 'tasks'],
    sales,
  ),
} satisfies Record<string, DeclaredStream>
