/** Members in and out: a request is taken or refused whole; what became of it is asked for later, and told in counts. */
import {
  type Answer,
  type ChangeAction,
  type Job,
  later,
  type Outcome,
  type Outgoing,
  refused,
  type Target,
  unnamedOf,
} from '../../src/core/audience.js'
import { chunks } from '../../src/core/chunks.js'
import { Failure } from '../../src/core/failure.js'
import { dayMs } from '../../src/core/slices.js'
import type { Http, HttpResponse, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import { violationsOf } from './api.js'
import { ask, refusedWhole } from './data-manager.js'
import type { Place } from './user-lists.js'

/** Members of a request; and how many requests leave before the first is asked about: that takes half an hour at least. */
export const most = { members: 10_000, requests: 5 }
/** Google's own plan: first after half an hour, each time a third later, an hour at most, for a day. */
export const look = { firstMs: 30 * 60_000, factor: 1.3, mostMs: 60 * 60_000, endMs: dayMs }
/** So often an upload is sent again in which Google failed by itself. */
const resends = 2

/** What the calls need to know of a list. */
export interface Upload extends Place {
  consent: 'granted' | 'unspecified'
  firstMs: number
}
/** Requests that are under way, each with the members that it took. */
interface Requests {
  requests: { id: string; from: string; to: string; resent: number }[]
  /** Members that were refused at once. */
  refused: string[]
  /** What was said of those among them that were sent again. */
  outcomes?: readonly Outcome[]
  waitedMs: number
}
const uploadOf = (target: Target) => target.with as unknown as Upload

type Method = 'ingest' | 'remove'

export async function upload(http: Http, target: Target, method: Method, members: readonly Outgoing[]): Promise<Answer> {
  const outcomes: Outcome[] = []
  const requests: Requests['requests'] = []
  for (const some of chunks(members, most.members)) {
    const sent = await send(http, target, method, some)
    outcomes.push(...sent.outcomes)
    if (sent.request) requests.push({ ...sent.request, resent: 0 })
  }
  const [first] = requests
  if (!first) return { outcomes }
  const { firstMs } = uploadOf(target)
  const job: Requests = { requests, refused: outcomes.map(({ ref }) => ref), waitedMs: firstMs }
  return { outcomes, job: { id: first.id, askAgainMs: firstMs, with: { ...job } } }
}

/** One malformed identifier refuses the whole request, and the refusal names its row: those are left out, the others go. */
async function send(http: Http, target: Target, method: Method, members: readonly Outgoing[]) {
  const outcomes: Outcome[] = []
  for (let left = members; left.length > 0; ) {
    const answer = await ask(http, {
      method: 'POST',
      path: `/v1/audienceMembers:${method}`,
      budget: 'uploads',
      body: bodyOf(target, method, left),
    })
    if (answer.status !== 400) return { outcomes, request: { id: String(answer.body.requestId), from: left[0]!.ref, to: left.at(-1)!.ref } }
    const rows = refusedRows(answer.body)
    const kept = left.filter((_, row) => !rows.has(row))
    if (kept.length === left.length) throw refusedWhole(`POST /v1/audienceMembers:${method}`, answer)
    left.forEach(({ ref }, row) => {
      const message = rows.get(row)
      if (message !== undefined) outcomes.push(refused(ref, message))
    })
    left = kept
  }
  return { outcomes }
}

function bodyOf({ id, with: more }: Target, method: Method, members: readonly Outgoing[]): Rec {
  const { customer, login, consent } = more as unknown as Upload
  const account = (accountId: string) => ({ accountType: 'GOOGLE_ADS', accountId })
  const said = { adUserData: 'CONSENT_GRANTED', adPersonalization: 'CONSENT_GRANTED' }
  return {
    destinations: [{ operatingAccount: account(customer), loginAccount: account(login), productDestinationId: id }],
    audienceMembers: members.map(({ identifiers }) => ({ userData: { userIdentifiers: userIdentifiers(identifiers) } })),
    encoding: 'HEX',
    // A removal takes neither.
    ...(method === 'ingest' ? { termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' } } : {}),
    ...(method === 'ingest' && consent === 'granted' ? { consent: said } : {}),
  }
}

/** An address goes only when all four of its parts are there: less is invalid, and would refuse the request. */
function userIdentifiers({ email, phone: number, first_name, last_name, postal_code, country: region }: Outgoing['identifiers']): Rec[] {
  const hasAddress = [first_name, last_name, postal_code, region].every((part) => part !== undefined)
  return [
    ...(email === undefined ? [] : [{ emailAddress: email }]),
    ...(number === undefined ? [] : [{ phoneNumber: number }]),
    ...(hasAddress ? [{ address: { givenName: first_name, familyName: last_name, regionCode: region, postalCode: postal_code } }] : []),
  ]
}

/** Rows of the request that were refused, and why. Of a violation without a row nobody but the request is guilty. */
function refusedRows(body: Rec): Map<number, string> {
  const rows = new Map<number, string>()
  for (const { field, reason, description } of violationsOf(body)) {
    const [, row, rest] = /audience_members\[(\d+)\]\.?(.*)$/.exec(field) ?? []
    if (row === undefined) return new Map()
    if (!rows.has(Number(row))) rows.set(Number(row), `Google refused it: ${[reason, description, rest].filter(Boolean).join(', ')}.`)
  }
  return rows
}

/** Every request of a job; those that have ended say again what they said before. */
export async function poll(http: Http, target: Target, job: Job, action: ChangeAction, members: readonly Outgoing[]): Promise<Answer> {
  const given = job.with as unknown as Requests
  const isRefused = new Set(given.refused)
  const outcomes = [...(given.outcomes ?? [])]
  const places = new Map(members.map(({ ref }, place) => [ref, place]))
  const next: Requests['requests'] = []
  const ended: Answer[] = []
  for (const request of given.requests) {
    const mine = members
      .slice(places.get(request.from), (places.get(request.to) ?? members.length) + 1)
      .filter(({ ref }) => !isRefused.has(ref))
    const status = await statusOf(http, request.id)
    if (status.isBroken && request.resent < resends) {
      // Google failed by itself, and says not for whom: adding and removing may be repeated.
      const sent = await send(http, target, action === 'remove' ? 'remove' : 'ingest', mine)
      for (const outcome of sent.outcomes) {
        outcomes.push(outcome)
        isRefused.add(outcome.ref)
      }
      if (sent.request) next.push({ ...sent.request, resent: request.resent + 1 })
      continue
    }
    next.push(request)
    if (status.state !== 'PROCESSING') ended.push(answerOf(status, action, mine))
  }
  if (ended.length === next.length) return { outcomes: [...outcomes, ...ended.flatMap((answer) => answer.outcomes)], ...unnamedOf(ended) }
  if (given.waitedMs >= look.endMs)
    throw new Failure('permanent', 'Google was still at work on an upload after 24 hours. The next push sends its members again.')
  const again = later(job, look)
  const left: Requests = { requests: next, refused: [...isRefused], outcomes, waitedMs: given.waitedMs + again.askAgainMs }
  return { outcomes: [], job: { ...again, with: { ...left } } }
}

interface Status {
  state: 'PROCESSING' | 'SUCCESS' | 'PARTIAL_SUCCESS' | 'FAILED'
  /** How many records were refused, and why. */
  records: number
  reasons: string
  isBroken: boolean
}

async function statusOf(http: Http, requestId: string): Promise<Status> {
  const path = '/v1/requestStatus:retrieve'
  const answer: HttpResponse = await ask(http, { path, query: { requestId }, budget: 'user_lists' })
  if (answer.status === 400) throw refusedWhole(`GET ${path}`, answer)
  const said = at(answer.body, 'requestStatusPerDestination.0')
  const state = String(at(said, 'requestStatus') ?? '')
  const counts = ((at(said, 'errorInfo.errorCounts') ?? []) as Rec[]).map(({ recordCount, reason }) => ({
    records: Number(recordCount ?? 0),
    reason: String(reason ?? 'no reason').replace(/^PROCESSING_ERROR_REASON_/, ''),
  }))
  return {
    // The guide calls FAILED otherwise than the API; what is unknown is asked for again.
    state: state === 'FAILURE' ? 'FAILED' : state === 'SUCCESS' || state === 'PARTIAL_SUCCESS' || state === 'FAILED' ? state : 'PROCESSING',
    records: counts.reduce((sum, { records }) => sum + records, 0),
    reasons: counts.map(({ reason, records }) => `${reason} (${records})`).join(', ') || 'without a reason',
    isBroken: counts.some(({ reason }) => reason === 'INTERNAL_ERROR'),
  }
}

/** Of a removal that did not wholly succeed all are removed again by the next push: who was meant is not said. */
function answerOf({ state, records, reasons }: Status, action: ChangeAction, members: readonly Outgoing[]): Answer {
  if (state === 'SUCCESS') return { outcomes: [] }
  const of = `of ${members.length} members that went together`
  if (state === 'FAILED' || action === 'remove') {
    const message =
      state === 'FAILED' ? `Google refused all ${of}: ${reasons}.` : `Google refused some ${of}, and names nobody: ${reasons}.`
    return { outcomes: members.map(({ ref }) => refused(ref, message)) }
  }
  return { outcomes: [], unnamed: { members: records, message: `Google refused ${records} ${of}, and names nobody: ${reasons}.` } }
}
