import { Failure } from '../../src/core/failure.js'
import type { Http, HttpRequest, Rec } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { cursorInBody, offsetInBody, type Paginator } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { isDated, pages, path } from './api.js'
import * as fields from './fields.js'

/** What an account is set up with: owners, pipelines, and lists with who is on them. */

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
export function everyList(http: Http): HttpRequest {
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

export const account = {
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
} satisfies Record<string, DeclaredStream>
