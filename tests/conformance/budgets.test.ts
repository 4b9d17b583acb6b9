import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Http, HttpRequest } from '../../src/core/types.js'
import { createAccounts } from '../../src/http/budget.js'
import { createHttp } from '../../src/http/client.js'
import { systemClock as clock } from '../../worker/deps.js'

const quiet = () => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60 })
})
afterAll(() => sandbox.stop())

/** Several clients of one account, as slices of several streams are. */
async function clients(type: string, settings: Record<string, unknown>, count: number): Promise<Http[]> {
  const { api } = await registry[type]!()
  const accounts = createAccounts(clock)
  return Array.from({ length: count }, () =>
    createHttp(api, { name: type, type, baseUrl: sandbox.url, settings }, { clock, log, accounts }),
  )
}

const search: HttpRequest = {
  method: 'POST',
  path: '/crm/objects/2026-09/contacts/search',
  body: { filterGroups: [], limit: 1 },
  budget: 'search',
}

/** The sandbox counts as the vendors do, in real seconds: fixed windows at one, rolling ones at the other. */
describe('the declared budgets', () => {
  it.each([
    ['klaviyo', () => ({ api_key: sandbox.klaviyo.apiKey }), { path: '/api/flows', budget: 'S' }, 14, 3],
    ['klaviyo', () => ({ api_key: sandbox.klaviyo.apiKey }), { path: '/api/accounts', budget: 'accounts' }, 4, 1],
    ['hubspot', () => ({ access_token: sandbox.hubspot.token }), search, 22, 5],
  ] as const)('of %s are never overspent by streams at once, and well used (%#)', async (type, settings, request, count, perSecond) => {
    const https = await clients(type, settings(), 3)
    sandbox.clearRequests()
    const startedAt = Date.now()
    await Promise.all(Array.from({ length: count }, (_, i) => https[i % https.length]!.request(request)))
    const seconds = (Date.now() - startedAt) / 1000
    expect(sandbox.requests(type)).toHaveLength(count)
    expect(sandbox.requests({ vendor: type, status: 429 })).toEqual([])
    // It does not stall either. How well a budget is used is counted with a turned clock in tests/src/http, whatever the machine does beside.
    expect(seconds).toBeLessThan(Math.ceil(count / perSecond - 1) / 0.5 + 5)
  })
})
