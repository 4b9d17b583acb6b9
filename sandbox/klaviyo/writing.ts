/** Klaviyo's writing side, as far as audiences need it: lists made, profiles imported by jobs, memberships added and removed. */
import { code, place, ulid } from '../company/dice.js'
import { jsonObject, Refused, type Reply, type Request, type Router } from '../kit/http.js'
import { none, Pushed } from '../kit/pushed.js'
import { Table } from '../kit/table.js'
import type { Access } from './access.js'
import { contentType, invalid, notFound, refusal } from './errors.js'
import { guard } from './guard.js'
import type { Limits } from './limits.js'
import { type MemberRow, type ProfileRow, toSecond } from './rows.js'
import { emptyProfile, type KlaviyoStore } from './store.js'

/** Limits of the OpenAPI, revision 2026-07-15. */
const most = { profiles: 10_000, bytes: 5 * 1024 * 1024, members: 1_000, page: 100 }

export interface WritingSwitches {
  /** How often a job is asked for before it is complete. */
  jobPolls: number
  /** Addresses that a job refuses when it works on them, after it was taken. */
  lateRefusals: ReadonlySet<string>
}

interface Job {
  id: string
  createdMs: number
  asked: number
  list: string | undefined
  rows: { id?: string; attributes: Record<string, unknown> }[]
  /** Filled when it completes. */
  done?: { profiles: string[]; errors: { row: Record<string, unknown>; detail: string }[] }
}

export interface WritingParts {
  store: KlaviyoStore
  access: Access
  limits: Limits
  switches: WritingSwitches
  now: () => number
}

export function addWriting(router: Router, { store, access, limits, switches, now }: WritingParts): { pushed: Pushed } {
  const jobs = new Map<string, Job>()
  const pushed = new Pushed(none)
  const { seed } = store.company.times
  let made = 0

  const guarded = guard(router, access, limits)
  const membersOf = (id: string): Table<MemberRow> => {
    const table = store.members.get(id)
    if (store.lists.get(id) === undefined || table === undefined) throw notFound('list', id)
    return table
  }
  const join = (list: string, profile: string) => {
    const table = membersOf(list)
    if (table.get(profile) !== undefined) return
    table.put({ id: profile, joinedMs: toSecond(now()) })
    pushed.count(list, profile, 'added')
  }

  guarded('POST /api/lists', { tier: 'M', scopes: ['lists:write'] }, (request) => {
    const { attributes } = dataOf(request)
    const name = attributes?.name
    if (typeof name !== 'string' || name === '') throw refused([{ pointer: '/data/attributes/name', detail: 'The name is required.' }])
    const id = code(6, seed, place('klaviyo made list'), ++made)
    const atMs = toSecond(now())
    store.lists.put({ id, name, createdMs: atMs, updatedMs: atMs, more: { opt_in_process: 'single_opt_in' } })
    store.members.set(id, new Table<MemberRow>())
    return { status: 201, body: { data: { type: 'list', id, attributes: { name } } }, contentType }
  })

  guarded('POST /api/profile-bulk-import-jobs', { tier: 'M', scopes: ['lists:write', 'profiles:write'] }, (request) => {
    if (Buffer.byteLength(request.text) > most.bytes)
      throw new Refused(refusal(413, { code: 'request_too_large', title: 'Payload too large.', detail: 'The request body exceeds 5 MB.' }))
    const data = dataOf(request)
    const rows = (data.attributes?.profiles as { data?: unknown[] } | undefined)?.data
    if (!Array.isArray(rows) || rows.length === 0)
      throw refused([{ pointer: '/data/attributes/profiles', detail: 'At least one profile is required.' }])
    if (rows.length > most.profiles)
      throw refused([{ pointer: '/data/attributes/profiles/data', detail: `No more than ${most.profiles} profiles are allowed.` }])
    const list = (data.relationships?.lists as { data?: { id?: string }[] } | undefined)?.data?.[0]?.id
    if (list !== undefined && store.lists.get(list) === undefined)
      throw refused([{ pointer: '/data', detail: `List ID ${list} does not exist.` }])
    // All or nothing, at once: each bad row is pointed at, and no job is made.
    const wrong = rows.flatMap((row, at) => problemsOf((row as Job['rows'][number])?.attributes ?? {}, at))
    if (wrong.length > 0) throw refused(wrong)
    const id = Buffer.from(`${++made}:job`).toString('base64url')
    const job: Job = { id, createdMs: now(), asked: 0, list, rows: rows as Job['rows'] }
    jobs.set(id, job)
    return { status: 202, body: { data: shownJob(job) }, contentType }
  })

  const jobOf = ({ params }: Request): Job => {
    const job = jobs.get(params.id ?? '')
    if (!job) throw notFound('profile-bulk-import-job', params.id ?? '')
    return job
  }
  guarded('GET /api/profile-bulk-import-jobs/:id', { tier: 'M', scopes: ['lists:read', 'profiles:read'] }, (request) => {
    const job = jobOf(request)
    if (++job.asked >= switches.jobPolls) job.done ??= complete(job)
    return { status: 200, body: { data: shownJob(job) }, contentType }
  })
  const paged = (request: Request, all: readonly unknown[]): Reply => {
    const size = Math.min(most.page, Number(request.query.get('page[size]') ?? 20))
    const from = Number(request.query.get('page[cursor]') ?? 0)
    const next = from + size < all.length ? new URL(`${request.origin}${request.path}`) : undefined
    next?.searchParams.set('page[size]', String(size))
    next?.searchParams.set('page[cursor]', String(from + size))
    const links = { self: `${request.origin}${request.url}`, next: next?.href ?? null, prev: null }
    return { status: 200, body: { data: all.slice(from, from + size), links }, contentType }
  }
  guarded('GET /api/profile-bulk-import-jobs/:id/import-errors', { tier: 'M', scopes: ['lists:read', 'profiles:read'] }, (request) =>
    paged(
      request,
      (jobOf(request).done?.errors ?? []).map(({ row, detail }, at) => ({
        type: 'import-error',
        id: String(at),
        attributes: { code: 'invalid', title: 'Invalid input.', detail, source: { pointer: '/data/attributes' }, original_payload: row },
      })),
    ),
  )
  guarded('GET /api/profile-bulk-import-jobs/:id/profiles', { tier: 'M', scopes: ['lists:read', 'profiles:read'] }, (request) =>
    paged(
      request,
      (jobOf(request).done?.profiles ?? []).flatMap((id) => {
        const row = store.profiles.get(id)
        return row ? [{ type: 'profile', id, attributes: { email: row.email, phone_number: row.phone, external_id: row.externalId } }] : []
      }),
    ),
  )

  for (const method of ['POST', 'DELETE'] as const) {
    guarded(`${method} /api/lists/:id/relationships/profiles`, { tier: 'M', scopes: ['lists:write', 'profiles:write'] }, (request) => {
      const list = request.params.id ?? ''
      const table = membersOf(list)
      const rows = (jsonObject(request)?.data ?? []) as { id?: string }[]
      if (rows.length > most.members) throw refused([{ pointer: '/data', detail: `No more than ${most.members} profiles are allowed.` }])
      for (const { id = '' } of rows) if (store.profiles.get(id) === undefined) throw notFound('profile', id)
      for (const { id = '' } of rows) {
        if (method === 'POST') join(list, id)
        else if (table.get(id) !== undefined) {
          table.delete(id)
          pushed.count(list, id, 'removed')
        }
      }
      return { status: 204 }
    })
  }

  /** Adding to a list happens when the job is done; it grants no consent. */
  function complete({ rows, list }: Job): NonNullable<Job['done']> {
    const profiles: string[] = []
    const errors: { row: Record<string, unknown>; detail: string }[] = []
    for (const { attributes } of rows) {
      if (switches.lateRefusals.has(String(attributes.email))) {
        errors.push({ row: attributes, detail: 'This profile could not be processed.' })
        continue
      }
      const id = upsert(attributes)
      profiles.push(id)
      if (list !== undefined) join(list, id)
    }
    return { profiles, errors }
  }

  function upsert(given: Record<string, unknown>): string {
    const email = typeof given.email === 'string' ? given.email.trim().toLowerCase() : null
    const phone = typeof given.phone_number === 'string' ? given.phone_number : null
    const known =
      (email === null ? undefined : store.profileBy('email', email)) ?? (phone === null ? undefined : store.profileBy('phone', phone))
    const atMs = toSecond(now())
    const before: ProfileRow = known ?? emptyProfile(ulid(now(), seed, place('klaviyo made profile'), ++made), atMs)
    const text = (key: string, was: string | null) => (key in given ? (given[key] as string | null) : was)
    store.profiles.put({
      ...before,
      email: email ?? before.email,
      phone: phone ?? before.phone,
      externalId: text('external_id', before.externalId),
      first: text('first_name', before.first),
      last: text('last_name', before.last),
      title: text('title', before.title),
      organization: text('organization', before.organization),
      properties: { ...before.properties, ...(given.properties as object | undefined) },
      updatedMs: atMs,
    })
    return before.id
  }

  return { pushed }

  function shownJob({ id, createdMs, rows, done, asked }: Job) {
    const status = done ? 'complete' : asked === 0 ? 'queued' : 'processing'
    return {
      type: 'profile-bulk-import-job',
      id,
      attributes: {
        status,
        created_at: new Date(createdMs).toISOString(),
        total_count: rows.length,
        completed_count: done ? done.profiles.length : null,
        failed_count: done ? done.errors.length : null,
        completed_at: done ? new Date(createdMs).toISOString() : null,
      },
    }
  }
}

const addressShape = /^[^\s@]+@[^\s@]+\.[^\s@]+$/
const numberShape = /^\+[1-9]\d{6,14}$/

function problemsOf({ email, phone_number: phone, external_id: id }: Record<string, unknown>, at: number) {
  const pointer = `/data/attributes/profiles/data/${at}/attributes`
  const wrong: { pointer: string; detail: string }[] = []
  if (email != null && !addressShape.test(String(email))) wrong.push({ pointer: `${pointer}/email`, detail: 'Invalid email address.' })
  if (phone != null && !numberShape.test(String(phone)))
    wrong.push({ pointer: `${pointer}/phone_number`, detail: 'Invalid phone number format.' })
  if (email == null && phone == null && id == null) wrong.push({ pointer, detail: 'At least one identifier is required.' })
  return wrong
}

interface Data {
  attributes?: Record<string, unknown>
  relationships?: Record<string, unknown>
}
const dataOf = (request: Request): Data => (jsonObject(request)?.data ?? {}) as Data

const refused = (wrong: readonly { pointer: string; detail: string }[]) =>
  new Refused(refusal(400, ...wrong.map(({ pointer, detail }) => invalid(detail, { pointer }))))
