import { answered, type Reply, type Request, type Router } from '../kit/http.js'
import { type Access, revisionOf } from './access.js'
import type { Limits, Tier } from './limits.js'

/** What an endpoint costs, and who may call it. */
interface Door {
  tier: Tier
  scopes: readonly string[]
}

export type Guarded = (
  endpoint: string,
  door: Door,
  make: (request: Request, revision: string) => Reply,
  extras?: (request: Request) => { name: string; tier: Tier }[],
) => void

/** Credentials, revision and quota, in this order; then the answer with the quota's headers. */
export function guard(router: Router, access: Access, limits: Limits): Guarded {
  return (endpoint, { tier, scopes }, make, extras) => {
    router.on(endpoint, (request) => {
      const who = access.check(request, scopes)
      const revision = revisionOf(request)
      const headers = limits.spend(who, endpoint, tier, extras?.(request) ?? [])
      const reply = answered(() => make(request, revision))
      return { ...reply, headers: { ...headers, ...reply.headers } }
    })
  }
}
