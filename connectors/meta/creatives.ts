import { asFailure } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import { path } from './api.js'

/** A creative whose stored story is broken refuses the whole page that it stands on. */
const broken: ReadonlySet<string | undefined> = new Set(['100/2446211', '100/1443048'])
const story = 'object_story_spec'

/** A client that reads such a page one by one, and of the broken ones all but their story. */
export function mending(http: Http): Http {
  return {
    ...http,
    async request(request) {
      try {
        return await http.request(request)
      } catch (error) {
        if (!broken.has(asFailure(error).where.code)) throw error
      }
      const page = await http.request({ ...request, query: { ...request.query, fields: 'id' } })
      const fields = String(request.query?.fields ?? '')
      const ids = (at(page.body, 'data') as readonly Rec[]).map(({ id }) => String(id))
      const data: Rec[] = []
      for (const id of ids) data.push(await one(http, id, fields, request.payer))
      return { ...page, body: { ...page.body, data } }
    },
  }
}

async function one(http: Http, id: string, fields: string, payer: string | undefined): Promise<Rec> {
  const ask = async (wanted: string) =>
    (await http.request({ path: path(http, id), query: { fields: wanted }, ...(payer ? { payer } : {}) })).body
  try {
    return await ask(fields)
  } catch (error) {
    if (!broken.has(asFailure(error).where.code)) throw error
    return ask(
      fields
        .split(',')
        .filter((field) => field !== story)
        .join(','),
    )
  }
}
