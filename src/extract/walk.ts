import { asFailure, Failure } from '../core/failure.js'
import type { Http, HttpRequest, Page, Rec, Resume } from '../core/types.js'
import type { Paginator } from './paginate.js'

export interface Walk {
  http: Http
  paginator: Paginator
  /** First requests, walked one after another; with `reached`, from that cursor value on. */
  requests: (reached?: string) => readonly HttpRequest[]
  /** From an earlier walk's page. */
  resume?: Resume | undefined
  /** Cursor value up to which the walk is safe, should a page token have expired; only where pages come in the cursor's order. */
  reached?: string | undefined
}

/** Times that a walk may start over because its page token expired, without a page in between. */
const restarts = 3

/** A page token that is refused where the first page was not: it has expired, whatever code the vendor gives it. */
function isExpired(error: unknown): boolean {
  const { reason, where } = asFailure(error)
  return reason === 'expired_cursor' || where.status === 400
}

/** Which of the requests, and which page of it. */
interface Place {
  at: number
  next?: string
}

/**
 * The pages of one or more requests, each with the place after it: a walk that resumes there gives exactly what follows. The
 * next page is asked for before the current one is given, so that network and loading overlap.
 */
export async function* walk({ http, paginator, requests, resume, reached }: Walk): AsyncIterable<Page> {
  let asked = requests()
  let place: Place = { at: Number(resume?.at ?? 0), ...(typeof resume?.next === 'string' ? { next: resume.next } : {}) }
  let expired = 0

  const fetch = async ({ at, next }: Place): Promise<Rec> => {
    const first = asked[at]
    if (!first) return {}
    return (await http.request(next === undefined ? first : paginator.request(first, next))).body
  }
  const ahead = (where: Place): Promise<Rec> => {
    const request = fetch(where)
    // Its failure is met when the page is due.
    request.catch(() => undefined)
    return request
  }

  let pending = ahead(place)
  for (;;) {
    let body: Rec
    try {
      body = await pending
    } catch (error) {
      if (place.next === undefined || !isExpired(error) || ++expired > restarts) throw error
      // The page token is gone: this request from its start, or from what is known to be read.
      asked = requests(reached)
      place = { at: place.at }
      pending = ahead(place)
      continue
    }
    expired = 0
    const next = paginator.next(body)
    if (next !== undefined && next === place.next)
      throw new Failure('transient', 'The vendor’s next page is the page itself; the walk would never end.')
    const following: Place | undefined =
      next !== undefined ? { at: place.at, next } : place.at + 1 < asked.length ? { at: place.at + 1 } : undefined
    if (following) pending = ahead(following)
    yield { records: paginator.records(body), ...(following ? { resume: { ...following } } : {}) }
    if (!following) return
    place = following
  }
}
