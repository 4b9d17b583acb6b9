import { asFailure, Failure } from '../core/failure.js'
import type { Http, HttpRequest, Page, Rec, Resume } from '../core/types.js'
import { ahead } from './ahead.js'
import type { Paginator } from './paginate.js'

export interface Walk {
  http: Http
  paginator: Paginator
  /** First requests, walked one after another; with `reached`, from that cursor value on. */
  requests: (reached?: string) => readonly HttpRequest[]
  /** From an earlier walk's page. */
  resume?: Resume | undefined
  /** Where pages come in the cursor's order: the oldest cursor value of a page, before which everything has been given. */
  cursorOf?: ((records: readonly Rec[]) => string | undefined) | undefined
  /** Cursor value up to which an earlier walk came, for a page token that has expired since. */
  reached?: string | undefined
  /** As in `ReadContext`. */
  now?: (() => Date) | undefined
}

/** Times that a walk may start over because its page token expired, without getting further. */
const restarts = 3
/** Times that a vendor may lead back to where a walk has been: a page given twice is no loop yet. */
const laps = 3

/** A page token that is refused where the first page was not: it has expired, whatever code the vendor gives it. */
function isExpired(error: unknown): boolean {
  const { reason, where } = asFailure(error)
  return reason === 'expired_cursor' || (reason === 'permanent' && where.status === 400)
}

/** Which of the requests, and which page of it. */
interface Place {
  at: number
  next?: string
}

/**
 * The pages of one or more requests, each with the place after it: a walk that resumes there gives exactly what follows.
 * @throws Failure `permanent` when the vendor leads in a circle.
 */
export const walk = (input: Walk): AsyncIterable<Page> => ahead(steps(input), input.now)

async function* steps({ http, paginator, requests, resume, cursorOf, reached }: Walk): AsyncIterable<Page> {
  const asked = requests()
  let place: Place = { at: Number(resume?.at ?? 0), ...(typeof resume?.next === 'string' ? { next: resume.next } : {}) }
  // What was read of one request says nothing of the next: `reached` may be the first one's.
  let read = cursorOf && asked.length === 1 ? reached : undefined
  let last: readonly Rec[] = []
  let expired = 0
  let isCircle = circle()

  for (let first = asked[place.at]; first; ) {
    let body: Rec
    try {
      body = (await http.request(place.next === undefined ? first : paginator.request(first, place.next))).body
    } catch (error) {
      if (place.next === undefined || !isExpired(error)) throw error
      const oldest = cursorOf?.(last)
      if (oldest !== undefined && (read === undefined || oldest > read)) {
        read = oldest
        expired = 0
      }
      if (++expired > restarts) throw new Failure('transient', 'The vendor’s page tokens expire faster than pages can be read.')
      // The page token is gone: this request from its start, or from what is known to be read.
      first = requests(read)[place.at]
      place = { at: place.at }
      isCircle = circle()
      continue
    }
    const records = paginator.records(body)
    const next = paginator.next(body, place.next)
    if (next !== undefined && isCircle(`${place.at} ${next}`))
      throw new Failure('permanent', 'The vendor’s pages lead in a circle: the walk would never end.')
    place = next === undefined ? { at: place.at + 1 } : { at: place.at, next }
    const isLast = asked[place.at] === undefined
    // A new request starts from its own beginning.
    if (next === undefined) {
      first = asked[place.at]
      read = undefined
    }
    last = next === undefined ? [] : records
    yield { records, ...(isLast ? {} : { resume: { ...place } }) }
  }
}

/** Watches for places that come again (Brent's way: one place is remembered, and given up for a later one ever more rarely). */
function circle(): (place: string) => boolean {
  let remembered: string | undefined
  let steps = 0
  let until = 8
  let met = 0
  return (place) => {
    if (place === remembered && ++met >= laps) return true
    if (++steps >= until) {
      steps = 0
      until *= 2
      met = 0
      remembered = place
    }
    remembered ??= place
    return false
  }
}
