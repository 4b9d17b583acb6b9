import { Failure } from '../../src/core/failure.js'
import type { Http, HttpRequest } from '../../src/core/types.js'
import { offsetInBody, type Paginator } from '../../src/extract/paginate.js'
import { pagesByBody, path, speaksDates } from './api.js'

/** Lists are the one collection whose two versions differ: by cursor and without end, or by offset up to a wall. */

/** Lists guide, read 2026-11-23. */
const pageSize = 500
const wall = 10_000

/** What a list does not tell unless asked. */
const additionalProperties = ['hs_list_size', 'hs_last_record_added_at', 'hs_last_record_removed_at']

/** Lists of every object and kind. Filters that are empty must be sent all the same: the description calls them required. */
export const everyList = (http: Http, count = pageSize): HttpRequest =>
  speaksDates(http)
    ? { method: 'POST', path: path(http, 'lists', '/all'), body: { processingTypes: [], additionalProperties, count } }
    : {
        method: 'POST',
        path: path(http, 'lists', '/search'),
        body: { listIds: [], processingTypes: [], additionalProperties, offset: 0, count },
      }

export const listPages = (http: Http): Paginator => (speaksDates(http) ? pagesByBody : untilWall)

const byOffset = offsetInBody('lists', 'offset', 'hasMore')
const untilWall: Paginator = {
  ...byOffset,
  request(first, token) {
    if (Number(token) < wall) return byOffset.request(first, token)
    throw new Failure('config', `The account has more than ${wall} lists, and HubSpot’s v3 shows no more: set api_version to 2026-09.`)
  },
}
