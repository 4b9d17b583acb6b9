/** Klaviyo in small: the reading side of its API, revisions 2025-01-15 to 2026-10-15. Facts and guesses are told apart in README.md. */
import type { Company } from './company/company.js'
import type { Drift } from './kit/drift.js'
import { answered, Router, type Vendor } from './kit/http.js'
import { type HeldList, heldList, type Pushed } from './kit/pushed.js'
import { Access, badCredentials, klaviyoKey, klaviyoLimitedKey, klaviyoOAuth } from './klaviyo/access.js'
import { authorize, token } from './klaviyo/account.js'
import { badCursor } from './klaviyo/collection.js'
import { plainRefusal, throttled } from './klaviyo/errors.js'
import { type KlaviyoLimits, Limits } from './klaviyo/limits.js'
import { addReading, type KlaviyoSwitches } from './klaviyo/reading.js'
import { Show } from './klaviyo/show.js'
import { KlaviyoStore } from './klaviyo/store.js'
import { type KlaviyoTruth, truthOf } from './klaviyo/truth.js'
import { addWriting, type WritingSwitches } from './klaviyo/writing.js'
import { appKeys, standIn } from './stand-in.js'

export interface Klaviyo {
  vendor: Vendor
  store: KlaviyoStore
  access: Access
  switches: KlaviyoSwitches & WritingSwitches
  truth: KlaviyoTruth
  /** How often each profile was effectively added to and removed from a list, by calls of the API. */
  pushed: Pushed
  held: () => HeldList[]
}

/** `rules` undefined counts no calls. */
export function createKlaviyo(company: Company, drift: Drift, now: () => Date, rules: KlaviyoLimits | undefined): Klaviyo {
  const store = new KlaviyoStore(company)
  const show = new Show(drift, company.times)
  const access = new Access()
  const switches: KlaviyoSwitches & WritingSwitches = {
    boundIncluded: false,
    unsortedCampaigns: false,
    cursorLifeMs: null,
    jobPolls: 2,
    lateRefusals: new Set(),
  }
  const router = new Router()
  const limits = new Limits(rules)
  addReading(router, { store, show, access, limits, switches, now: () => now().getTime() })
  const { pushed } = addWriting(router, { store, access, limits, switches, now: () => now().getTime() })
  router.on('POST /oauth/token', (request) => token(access, request))
  for (const method of ['GET', 'POST']) router.on(`${method} /oauth/authorize`, (request) => authorize(access, request))

  const vendor: Vendor = {
    name: 'klaviyo',
    roots: ['/api', '/oauth/token'],
    // Another vendor has its consent page at the same path, of another host.
    claims: ({ path, query }) => path === '/oauth/authorize' && query.get('client_id') === klaviyoOAuth.clientId,
    handle(request) {
      return answered(() => {
        const reply = router.answer(request)
        return typeof reply === 'object' ? reply : plainRefusal(reply === 'no-path' ? 404 : 405)
      })
    },
    trouble(trouble) {
      if (trouble.kind === 'throttled') return throttled(trouble.retryAfter)
      if (trouble.kind === 'expired-token') return badCredentials()
      return trouble.kind === 'expired-cursor' ? badCursor() : plainRefusal(trouble.status)
    },
    page: {
      records: (body) => document(body)?.data,
      repeat(body, request) {
        const found = document(body)
        if (found?.links !== undefined) found.links.next = `${request.origin}${request.url}`
      },
      moveNext(body, origin) {
        const links = document(body)?.links
        if (typeof links?.next === 'string') links.next = origin + links.next.slice(new URL(links.next).origin.length)
      },
    },
  }
  return {
    vendor,
    store,
    access,
    switches,
    truth: truthOf(store, show, () => now().getTime()),
    pushed,
    held: () => [...pushed].map(([id, counts]) => heldList('list', store.lists.get(id)!.name, store.members.get(id)!.size, counts)),
  }
}

function document(body: unknown): { data?: unknown[]; links?: { next?: string | null } } | undefined {
  const found = body as { data?: unknown; links?: { next?: string | null } } | undefined
  return Array.isArray(found?.data) ? (found as { data: unknown[] }) : undefined
}

export const klaviyoStandIn = standIn({
  open({ company, drift, now }, limits: KlaviyoLimits | undefined) {
    const opened = createKlaviyo(company, drift, now, limits)
    return {
      ...opened,
      apiKey: klaviyoKey,
      /** May read accounts, profiles and lists only. */
      limitedApiKey: klaviyoLimitedKey,
      oauth: klaviyoOAuth,
      credentials: { apiKey: klaviyoKey },
      byOAuth: () => appKeys(klaviyoOAuth, opened.access.currentRefreshToken()),
    }
  },
  connection: () => ({ api_key: klaviyoKey }),
})
