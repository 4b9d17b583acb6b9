/**
 * Klaviyo lists as destinations. Membership is not consent: nothing here subscribes anybody. Profiles come in by import jobs, which answer by
 * profile; out they go by the ids that those answers gave. OpenAPI, revision 2026-07-15, read 2026-11-23.
 */
import {
  type Answer,
  type Destination,
  type Job,
  later,
  missingTarget,
  type Outcome,
  type Outgoing,
  refused,
  type Target,
  type Wanted,
} from '../../src/core/audience.js'
import { chunks } from '../../src/core/chunks.js'
import { Failure } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { email, phone, plain } from '../../src/identity/normalize.js'
import { pages } from './api.js'

/** Of an import job, and of a call that removes. */
const most = { imported: 10_000, removed: 1_000, page: 100 }
/** A job of a few thousand takes seconds; asked again later each time. */
const look = { firstMs: 2_000, factor: 1.5, mostMs: 30_000 }

const list: Destination = {
  kind: 'list',
  description: 'A list: profiles are made or updated, and put on it. It grants no consent to marketing.',
  modes: ['mirror', 'add', 'remove'],
  identifiers: {
    email: { normalize: email, hash: false },
    phone: { normalize: phone, hash: false },
    external_id: { normalize: plain, hash: false },
  },
  needs: [['email'], ['phone']],
  names: true,
  // Half of what a job takes: 5 MB is its other limit.
  batch: most.imported / 2,
  takesFields: true,
  open,
  add,
  remove,
  poll,
}

export const destinations = { list: { destination: list } }

async function open(http: Http, { target, create }: Wanted): Promise<Target> {
  const query = { filter: `any(name,[${JSON.stringify(target)}])`, 'fields[list]': 'name' }
  const { body } = await http.request({ path: '/api/lists', query, budget: 'L' })
  const named = (body.data ?? []) as Rec[]
  if (named.length > 1)
    throw new Failure('config', `Klaviyo has ${named.length} lists named ${JSON.stringify(target)}: name the one that is meant by its id.`)
  const found = named[0] ?? (await byId(http, target))
  if (found) return { id: String(found.id), name: String(at(found, 'attributes.name') ?? target) }
  if (!create) throw missingTarget(`Klaviyo has no list ${JSON.stringify(target)}: create it there, or set "create: true".`)
  // Asked twice it would make two: who asks anew looks for it first.
  const made = await http.request({
    method: 'POST',
    path: '/api/lists',
    body: { data: { type: 'list', attributes: { name: target } } },
    budget: 'M',
    once: true,
  })
  return { id: String(at(made.body, 'data.id')), name: target, isNew: true }
}

async function byId(http: Http, id: string): Promise<Rec | undefined> {
  if (!/^[A-Za-z0-9]{6}$/.test(id)) return undefined
  const { status, body } = await http.request({ path: `/api/lists/${id}`, budget: 'L', refusals: [404] })
  return status === 404 ? undefined : (body.data as Rec)
}

/** One malformed address refuses the whole import, and the refusal points at each: those are left out, the others go. */
async function add(http: Http, { id }: Target, members: readonly Outgoing[]): Promise<Answer> {
  const outcomes: Outcome[] = []
  let left = members
  while (left.length > 0) {
    const sent = left
    const { status, body } = await http.request({
      method: 'POST',
      path: '/api/profile-bulk-import-jobs',
      budget: 'M',
      refusals: [400],
      body: {
        data: {
          type: 'profile-bulk-import-job',
          attributes: { profiles: { data: sent.map((member) => ({ type: 'profile', attributes: attributesOf(member) })) } },
          relationships: { lists: { data: [{ type: 'list', id }] } },
        },
      },
    })
    if (status !== 400) return { outcomes, job: { id: String(at(body, 'data.id')), askAgainMs: look.firstMs } }
    const rows = refusedRows(body, sent.length)
    for (const [row, message] of rows) outcomes.push(refused(sent[row]!.ref, message))
    left = sent.filter((_, row) => !rows.has(row))
  }
  return { outcomes }
}

const attributesOf = ({ identifiers, fields }: Outgoing): Rec => ({
  ...fields,
  ...(identifiers.email === undefined ? {} : { email: identifiers.email }),
  ...(identifiers.phone === undefined ? {} : { phone_number: identifiers.phone }),
  ...(identifiers.external_id === undefined ? {} : { external_id: identifiers.external_id }),
})

/** @throws Failure `config` where the refusal is of the request and not of rows, `permanent` where it is of no row that was sent */
function refusedRows(body: Rec, sent: number): Map<number, string> {
  const rows = new Map<number, string>()
  for (const error of (body.errors ?? []) as Rec[]) {
    const pointer = String(at(error, 'source.pointer') ?? '')
    const detail = String(error.detail ?? error.title ?? 'Invalid input.')
    const row = /^\/data\/attributes\/profiles\/data\/(\d+)(?:\/|$)/.exec(pointer)?.[1]
    if (row === undefined) throw new Failure('config', `Klaviyo refused the import: ${detail} (${pointer}).`)
    if (Number(row) < sent) rows.set(Number(row), `${detail} (${pointer.split('/').slice(7).join('/') || 'profile'})`)
  }
  if (rows.size === 0) throw new Failure('permanent', 'Klaviyo refused the import and named nothing that was sent.')
  return rows
}

/** A job that is complete may have refused some: both sides are read, and matched by what was sent. */
async function poll(http: Http, _target: Target, job: Job, _action: string, members: readonly Outgoing[]): Promise<Answer> {
  const path = `/api/profile-bulk-import-jobs/${job.id}`
  const { body } = await http.request({ path, budget: 'M' })
  const status = String(at(body, 'data.attributes.status'))
  if (status === 'queued' || status === 'processing') return { outcomes: [], job: later(job, look) }
  if (status !== 'complete') throw new Failure('permanent', `Klaviyo's import job ended as ${status}.`)
  const named = new Map<string, Outgoing>()
  for (const member of members) for (const name of namesOf(attributesOf(member))) named.set(name, member)
  const outcomes = new Map<string, Outcome>()
  const meet = (attributes: Rec, outcome: (ref: string) => Outcome) => {
    const member = namesOf(attributes)
      .map((name) => named.get(name))
      .find((one) => one !== undefined)
    if (member) outcomes.set(member.ref, outcome(member.ref))
  }
  const profiles = all(http, `${path}/profiles`, { 'fields[profile]': 'email,phone_number,external_id' })
  for await (const profile of profiles) meet((profile.attributes ?? {}) as Rec, (ref) => ({ ref, vendorId: String(profile.id) }))
  if (Number(at(body, 'data.attributes.failed_count') ?? 0) > 0)
    for await (const error of all(http, `${path}/import-errors`))
      meet((at(error, 'attributes.original_payload') ?? {}) as Rec, (ref) =>
        refused(ref, String(at(error, 'attributes.detail') ?? 'Klaviyo could not import it.')),
      )
  const lost = 'Klaviyo named it neither among the imported nor among the refused.'
  return { outcomes: members.map(({ ref }) => outcomes.get(ref) ?? refused(ref, lost)) }
}

const namesOf = ({ email: address, phone_number: number, external_id: id }: Rec): string[] =>
  [
    typeof address === 'string' ? `email ${address.toLowerCase()}` : undefined,
    typeof number === 'string' ? `phone ${number}` : undefined,
    typeof id === 'string' ? `id ${id}` : undefined,
  ].filter((name) => name !== undefined)

/** What a collection holds; a resource may come twice. */
async function* all(http: Http, path: string, query: Record<string, string> = {}): AsyncIterable<Rec> {
  const requests = () => [{ path, query: { ...query, 'page[size]': most.page }, budget: 'M' }]
  for await (const { records } of walk({ http, paginator: pages, requests })) yield* records
}

/** Who is not on it is no failure, nor is a profile that is gone. Whose id nobody knows is looked up. */
async function remove(http: Http, { id }: Target, members: readonly Outgoing[]): Promise<Answer> {
  const ids = new Set([
    ...members.flatMap(({ vendorId }) => (vendorId === undefined ? [] : [vendorId])),
    ...(await looked(http, 'email', members)),
    ...(await looked(http, 'phone_number', members)),
  ])
  for (const some of chunks([...ids], most.removed)) await removeSome(http, id, some)
  return { outcomes: [] }
}

async function removeSome(http: Http, list: string, ids: readonly string[]): Promise<void> {
  const data = ids.map((id) => ({ type: 'profile', id }))
  const path = `/api/lists/${list}/relationships/profiles`
  const { status } = await http.request({ method: 'DELETE', path, body: { data }, budget: 'M', refusals: [404] })
  // A profile of them was erased or merged: which one is not said.
  if (status !== 404 || ids.length === 1) return
  const middle = Math.ceil(ids.length / 2)
  await removeSome(http, list, ids.slice(0, middle))
  await removeSome(http, list, ids.slice(middle))
}

/** Ids of members that carry none, by what they are known by. */
async function looked(http: Http, field: 'email' | 'phone_number', members: readonly Outgoing[]): Promise<string[]> {
  const kind = field === 'email' ? 'email' : 'phone'
  const values = members.flatMap(({ vendorId, identifiers }) => {
    const isOther = field === 'phone_number' && identifiers.email !== undefined
    return vendorId === undefined && !isOther && identifiers[kind] !== undefined ? [identifiers[kind]] : []
  })
  const ids: string[] = []
  for (const some of chunks(values, most.page)) {
    const filter = `any(${field},[${some.map((value) => JSON.stringify(value)).join(',')}])`
    for await (const profile of all(http, '/api/profiles', { filter, 'fields[profile]': field })) ids.push(String(profile.id))
  }
  return ids
}
