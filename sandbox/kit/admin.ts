/** The sandbox's own API under `/_sandbox`, for tests and demos that run in another process. README.md lists it. */
import type { SandboxClock } from './clock.js'
import type { Drift, DriftRule } from './drift.js'
import type { FaultRule, Faults } from './faults.js'
import { jsonObject, type Reply, type Request, Router, type Vendor } from './http.js'
import type { RequestFilter, RequestLog } from './log.js'

/** What the API turns. Vendors and company are known by name only: the kit knows none of them. */
export interface AdminParts {
  clock: SandboxClock
  faults: Faults
  drift: Drift
  log: RequestLog
  company: object
  catchUp(): void
  truth: Record<string, object>
  switches: Record<string, object>
  access: Record<
    string,
    {
      grant(scopes: string[], credential?: string): void
      revoke(credential?: string): void
      expireTokens(): void
      codes: { expire(): void }
    }
  >
  credentials: unknown
  held: () => object
}

const strokes = ['editMany', 'importPeople', 'lateActivities', 'archiveMany', 'unsubscribeMany', 'eraseMany']
const ok = (body: unknown): Reply => ({ status: 200, body })
const no = (status: number, message: string): Reply => ({ status, body: { message } })

export function adminVendor({
  clock,
  faults,
  drift,
  log,
  company,
  catchUp,
  truth,
  switches,
  access,
  credentials,
  held,
}: AdminParts): Pick<Vendor, 'handle'> {
  const time = () => ok({ now: clock.now().toISOString() })
  const router = new Router()
    .on('GET /_sandbox', () => ok({ now: clock.now().toISOString(), vendors: Object.keys(truth), credentials }))
    .on('GET /_sandbox/clock', time)
    .on('POST /_sandbox/clock', (request) => {
      const { set, advanceMs } = jsonObject(request) ?? {}
      if (typeof set === 'string') clock.set(new Date(set))
      else if (typeof advanceMs === 'number') clock.advance(advanceMs)
      else return no(400, 'Give "set" (an ISO date) or "advanceMs" (a number).')
      catchUp()
      return time()
    })
    .on('GET /_sandbox/faults', () => ok(faults.list()))
    .on('POST /_sandbox/faults', (request) => {
      const rule = jsonObject(request) as FaultRule | undefined
      return typeof rule?.fault?.kind === 'string' ? ok({ id: faults.add(rule) }) : no(400, 'Give a rule with "fault": {"kind": …}.')
    })
    .on('DELETE /_sandbox/faults', () => {
      faults.clear()
      return { status: 204 }
    })
    .on('DELETE /_sandbox/faults/:id', ({ params }) => {
      faults.remove(Number(params.id))
      return { status: 204 }
    })
    .on('GET /_sandbox/drift', () => ok(drift.list()))
    .on('POST /_sandbox/drift', (request) => {
      const rule = jsonObject(request) as DriftRule | undefined
      return typeof rule?.change === 'string' && typeof rule.key === 'string'
        ? ok({ id: drift.add(rule) })
        : no(400, 'Give "vendor", "of", "key" and "change".')
    })
    .on('DELETE /_sandbox/drift', () => {
      drift.clear()
      return { status: 204 }
    })
    .on('GET /_sandbox/requests', ({ query }) => {
      const filter: RequestFilter = {}
      for (const name of ['vendor', 'method', 'path'] as const) if (query.has(name)) filter[name] = query.get(name) as string
      for (const name of ['status', 'sinceMs'] as const) if (query.has(name)) filter[name] = Number(query.get(name))
      return ok(log.find(filter))
    })
    .on('DELETE /_sandbox/requests', () => {
      log.clear()
      return { status: 204 }
    })
    .on('GET /_sandbox/held', () => ok(held()))
    .on('GET /_sandbox/truth/:vendor/:stream', (request) => told(truth[request.params.vendor ?? ''], request))
    .on('POST /_sandbox/company/:stroke', (request) => {
      const stroke = request.params.stroke ?? ''
      const { count, where, agoMs } = jsonObject(request) ?? {}
      if (!strokes.includes(stroke) || typeof count !== 'number') return no(400, `Give "count" to one of ${strokes.join(', ')}.`)
      catchUp()
      const act = (company as Record<string, (count: number, more?: unknown) => number[]>)[stroke]
      return ok({ people: act?.call(company, count, where ?? agoMs) })
    })
    .on('POST /_sandbox/switches/:vendor', (request) => {
      const held = switches[request.params.vendor ?? '']
      if (held === undefined) return no(404, 'No such vendor.')
      for (const [name, value] of Object.entries(jsonObject(request) ?? {}))
        if (name in held) (held as Record<string, unknown>)[name] = value
      return ok(held)
    })
    .on('POST /_sandbox/access/:vendor/:act', (request) => {
      const held = access[request.params.vendor ?? '']
      const { scopes, credential } = jsonObject(request) ?? {}
      const given = typeof credential === 'string' ? credential : undefined
      if (request.params.act === 'grant' && Array.isArray(scopes)) held?.grant(scopes.map(String), given)
      else if (request.params.act === 'revoke') held?.revoke(given)
      else if (request.params.act === 'expire-tokens') held?.expireTokens()
      else if (request.params.act === 'expire-codes') held?.codes.expire()
      else return no(400, 'grant needs "scopes"; the others are revoke, expire-tokens and expire-codes.')
      return held === undefined ? no(404, 'No such vendor.') : { status: 204 }
    })
  return {
    handle(request) {
      try {
        const reply = router.answer(request)
        return typeof reply === 'object' ? reply : no(404, 'The sandbox has no such lever; see its README.')
      } catch (error) {
        if (error instanceof RangeError) return no(400, error.message)
        throw error
      }
    },
  }
}

function told(truth: object | undefined, { params, query }: Request): Reply {
  const stream = (truth as Record<string, ((of?: string) => unknown) | undefined> | undefined)?.[params.stream ?? '']
  return stream === undefined ? no(404, 'No such stream.') : ok(stream(query.get('of') ?? undefined))
}
