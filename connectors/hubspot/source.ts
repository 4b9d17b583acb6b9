import type { Finding, Http, HttpRequest, Page, ReadContext, Rec } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { hubspot, pages, path, settings } from './api.js'
import * as fields from './fields.js'
import { everyList, listPages } from './lists.js'
import { list } from './read.js'
import { search } from './search.js'

const minute = 60_000

/** What the CRM holds of one kind: everything at first, then what changed; and in every run what was archived. */
const object = (name: string, modified: string, description: string): DeclaredStream => ({
  description,
  key: ['id'],
  fields: fields.envelope,
  discover: fields.discover(name),
  mode: 'merge',
  modes: ['merge', 'append', 'replace'],
  record: fields.flat,
  // Pages come in the order of ids.
  cursor: { field: 'updatedAt', ordered: false },
  deletedAt: 'archivedAt',
  passes: [
    {
      // Searches find what is new late and out of order, after minutes at times: five are held back, and ten read again.
      slicing: { by: 'time', lookbackMs: 10 * minute, lagMs: 5 * minute, first: 'whole' },
      read: (context) => (context.slice.from === undefined ? list(name, false) : search(name, modified))(context),
    },
    // Neither shows what was archived, and archived records cannot be asked for by time.
    { name: 'archived', slicing: { by: 'all' }, read: list(name, true) },
  ],
})

const pipelinesOf = ['deals', 'tickets']

/** All pipelines of an object come at once, and do not say which object's they are. */
async function* pipelines({ http, resume }: ReadContext): AsyncIterable<Page> {
  for (let at = Number(resume?.at ?? 0); at < pipelinesOf.length; at++) {
    const objectType = pipelinesOf[at]!
    const { body } = await http.request({ path: path(http, 'pipelines', `/${objectType}`) })
    const records = recordsAt('results')(body).map((record) => ({ ...record, objectType }))
    yield { records, ...(at + 1 < pipelinesOf.length ? { resume: { at: at + 1 } } : {}) }
  }
}

async function* listIds(http: Http): AsyncIterable<string> {
  for await (const { records } of walk({ http, paginator: listPages(http), requests: () => [everyList(http)] }))
    for (const { listId } of records) yield String(listId)
}

const asIs = (raw: Rec): Rec => raw

const streams = defineStreams({
  // The only object whose time of change has no prefix; with one, it finds nothing.
  contacts: object('contacts', 'lastmodifieddate', 'People, with every property of the account.'),
  companies: object('companies', 'hs_lastmodifieddate', 'Companies, with every property of the account.'),
  deals: object('deals', 'hs_lastmodifieddate', 'Deals, with every property of the account.'),
  tickets: object('tickets', 'hs_lastmodifieddate', 'Tickets, with every property of the account.'),
  owners: {
    description: 'Users and queues that records belong to, archived ones included.',
    key: ['id'],
    fields: fields.owner,
    mode: 'replace',
    modes: ['replace', 'merge'],
    record: asIs,
    passes: [
      {
        slicing: { by: 'all' },
        ask: (_, { http }) =>
          [false, true].map((archived): HttpRequest => ({ path: path(http, 'owners'), query: { limit: 500, archived } })),
        pages,
      },
    ],
  },
  pipelines: {
    description: 'Pipelines of deals and tickets, with their stages.',
    key: ['objectType', 'id'],
    fields: fields.pipeline,
    mode: 'replace',
    modes: ['replace', 'merge'],
    record: asIs,
    passes: [{ slicing: { by: 'all' }, read: pipelines }],
  },
  lists: {
    description: 'Lists (segments) of every object.',
    key: ['listId'],
    fields: fields.list,
    mode: 'replace',
    modes: ['replace', 'merge'],
    record: asIs,
    passes: [
      {
        slicing: { by: 'all' },
        read: ({ http, resume }) => walk({ http, paginator: listPages(http), requests: () => [everyList(http)], resume }),
      },
    ],
  },
  list_memberships: {
    description: 'Members of each list, with when they came.',
    key: ['list_id', 'record_id'],
    fields: fields.listMembership,
    mode: 'replace',
    modes: ['replace'],
    parallel: 4,
    record: ({ list_id, recordId, membershipTimestamp }) => ({ list_id, record_id: recordId, membership_timestamp: membershipTimestamp }),
    passes: [
      {
        slicing: { by: 'parent', parents: listIds },
        ask: ({ parent }, { http }) => ({ path: path(http, 'lists', `/${parent}/memberships`), query: { limit: 250 } }),
        pages,
        parentField: 'list_id',
        mayBeGone: true,
      },
    ],
  },
})

/** One record of each stream shows whether its scope is there. */
const probes = (http: Http): Record<string, [scope: string, request: HttpRequest]> => ({
  contacts: ['crm.objects.contacts.read', { path: path(http, 'objects', '/contacts'), query: { limit: 1 } }],
  companies: ['crm.objects.companies.read', { path: path(http, 'objects', '/companies'), query: { limit: 1 } }],
  deals: ['crm.objects.deals.read', { path: path(http, 'objects', '/deals'), query: { limit: 1 } }],
  tickets: ['tickets', { path: path(http, 'objects', '/tickets'), query: { limit: 1 } }],
  owners: ['crm.objects.owners.read', { path: path(http, 'owners'), query: { limit: 1 } }],
  pipelines: ['crm.objects.deals.read and tickets', { path: path(http, 'pipelines', '/deals') }],
  lists: ['crm.lists.read', everyList(http, 1)],
})

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: path(http, 'account-info', '/details') })
  const said = (name: string) => String(at(body, name) ?? 'unknown')
  yield { name: 'access', ok: true, message: `account ${said('portalId')}, time zone ${said('timeZone')}` }
  yield versionFinding(hubspot, http, new Date())
  for (const [name, [scope, request]] of Object.entries(probes(http))) {
    try {
      await http.request(request)
      yield { name: `scope of ${name}`, ok: true, message: 'readable' }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      yield { name: `scope of ${name}`, ok: false, message, hint: `Grant ${scope}, or leave ${name} out.` }
    }
  }
}

export const connector: Connector = {
  type: 'hubspot',
  title: 'HubSpot',
  settings,
  apiVersions: ['2026-09', 'v3'],
  api: hubspot,
  source: { type: 'hubspot', streams, check },
}
