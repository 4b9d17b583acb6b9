/** Several calls in one: answered in order, each with a body of its own as text. */
import type { Reply, Request } from '../kit/http.js'
import { graphError } from './errors.js'
import { jsonOf, type Parameters } from './parameters.js'

const most = 50

interface Call {
  method?: string
  relative_url?: string
  body?: string
}

export function answerBatch(request: Request, parameters: Parameters, handle: (request: Request) => Reply): Reply {
  const calls = jsonOf(parameters, 'batch')
  if (!Array.isArray(calls)) return graphError({ code: 100, message: '(#100) The parameter batch is required' })
  if (calls.length > most)
    return graphError({
      code: -1,
      type: 'GraphBatchException',
      message: `Too many requests in batch message. Maximum batch size is ${most}`,
    })
  const outer = parameters.get('access_token')
  const answers = (calls as Call[]).map(({ method = 'GET', relative_url = '', body = '' }) => {
    const url = new URL(`/${relative_url.replace(/^\//, '')}`, request.origin)
    if (outer !== undefined && !url.searchParams.has('access_token')) url.searchParams.set('access_token', String(outer))
    const inner = {
      ...request,
      method,
      path: url.pathname.replace(/\/+$/, ''),
      url: url.pathname + url.search,
      query: url.searchParams,
      text: body,
      params: {},
    }
    const reply = handle(inner)
    const headers = Object.entries(reply.headers ?? {}).map(([name, value]) => ({ name, value }))
    return { code: reply.status, headers, body: JSON.stringify(reply.body ?? {}) }
  })
  return { status: 200, body: answers }
}
