import { Failure } from '../../src/core/failure.js'
import type { Finding, Http, HttpRequest, Rec } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { cursorInBody, cursorParameter, offsetInBody, type Paginator } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { hubspot, isDated, path, settings } from './api.js'
import * as fields from './fields.js'
import { countOf, listed, searched } from './records.js'

const minute = 60_000
const pages = cursorParameter('results', 'paging.next.after', 'after')

/**
 * A CRM object: the first read lists everything, later ones search for what changed. Search shows changes late and out of order,
 * up to minutes, so it stops five minutes short of now and reads ten again. Archived records show only in a list of their own.
 */
const crm = (object: string, description: string, changedBy: string): DeclaredStream => ({
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
    { name: 'archived', slicing: { by: 'all' }, read: listed(object, true) },
  ],
})

const offsets = offsetInBody('lists', 'offset', 'hasMore')
const byOffset: Paginator = {
  ...offsets,
  request(first, token) {
    if (Number(token) < 10_000) return offsets.request(first, token)
    throw new Failure(
      'config',
      'The account has more than 10,000 lists, and HubSpot’s v3 shows no more of them: set api_version to 2026-09.',
    )
  },
}

/** All lists: by a cursor in dated versions, by offsets (10,000 at most) in v3. */
function everyList(http: Http): HttpRequest {
  const body = { processingTypes: [], additionalProperties: ['hs_list_size'], count: 500 }
  return isDated(http)
    ? { method: 'POST', path: path(http, 'lists', '/all'), body }
    : { method: 'POST', path: path(http, 'lists', '/search'), body: { listIds: [], offset: 0, ...body } }
}

async function* lists(http: Http, resume?: Rec) {
  const paginator = isDated(http) ? cursorInBody('results', 'paging.next.after', 'after') : byOffset
  yield* walk({ http, paginator, requests: () => [everyList(http)], resume })
}

async function* listIds(http: Http): AsyncIterable<string> {
  for await (const { records } of lists(http)) for (const { listId } of records) yield String(listId)
}

async function* withPipelines(): AsyncIterable<string> {
  yield* ['deals', 'tickets']
}

const small = { mode: 'replace', modes: ['replace', 'merge', 'history'], record: (raw: Rec) => raw } as const

const streams = defineStreams({
  contacts: crm('contacts', 'People, with every property.', 'lastmodifieddate'),
  companies: crm('companies', 'Companies, with every property.', 'hs_lastmodifieddate'),
  deals: crm('deals', 'Deals, with every property.', 'hs_lastmodifieddate'),
  tickets: crm('tickets', 'Tickets, with every property.', 'hs_lastmodifieddate'),
  owners: {
    ...small,
    description: 'Users who own records, former ones included.',
    key: ['id'],
    fields: fields.owner,
    passes: [
      {
        slicing: { by: 'all' },
        read: ({ http, resume }) =>
          walk({
            http,
            paginator: pages,
            requests: () => [false, true].map((archived) => ({ path: path(http, 'owners'), query: { limit: 500, archived } })),
            resume,
          }),
      },
    ],
  },
  pipelines: {
    ...small,
    description: 'Pipelines of deals and tickets, with their stages.',
    key: ['objectType', 'id'],
    fields: fields.pipeline,
    passes: [
      {
        // An answer does not say whose pipelines it holds.
        slicing: { by: 'parent', parents: withPipelines },
        ask: ({ parent }, { http }) => ({ path: path(http, 'pipelines', `/${parent}`) }),
        pages,
        parentField: 'objectType',
      },
    ],
  },
  lists: {
    ...small,
    description: 'Lists (HubSpot also says segments), with their size.',
    key: ['listId'],
    fields: fields.list,
    passes: [{ slicing: { by: 'all' }, read: ({ http, resume }) => lists(http, resume) }],
  },
  list_memberships: {
    description: 'Which record is on which list, and since when.',
    key: ['list_id', 'record_id'],
    fields: fields.membership,
    mode: 'replace',
    modes: ['replace'],
    parallel: 2,
    record: ({ list_id, recordId, membershipTimestamp }) => ({ list_id, record_id: recordId, membershipTimestamp }),
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

/** One record of a kind shows whether its scope is there. */
const probes = (http: Http): Record<string, [scope: string, request: HttpRequest]> => {
  const one = { limit: 1 }
  return {
    contacts: ['crm.objects.contacts.read', { path: path(http, 'objects', '/contacts'), query: one }],
    companies: ['crm.objects.companies.read', { path: path(http, 'objects', '/companies'), query: one }],
    deals: ['crm.objects.deals.read', { path: path(http, 'objects', '/deals'), query: one }],
    tickets: ['tickets', { path: path(http, 'objects', '/tickets'), query: one }],
    owners: ['crm.objects.owners.read', { path: path(http, 'owners'), query: one }],
    pipelines: ['the scopes of deals and tickets', { path: path(http, 'pipelines', '/deals') }],
    lists: ['crm.lists.read', everyList(http)],
  }
}

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: path(http, 'account', '/details') })
  yield {
    name: 'access',
    ok: true,
    message: `account ${String(body.portalId ?? 'unknown')}, time zone ${String(body.timeZone ?? 'unknown')}`,
  }
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
