import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { googleAdsOAuth, hubspotOAuth, klaviyoOAuth, metaApp, type Sandbox, salesforceOAuth, startSandbox } from '../../sandbox/serve.js'
import { click } from '../support/consent.js'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, limits: 'off' })
})
afterAll(() => sandbox.stop())

const verifier = 'v'.repeat(64)
const redirect = 'http://localhost:9/callback'
interface Doors {
  app: { clientId: string; clientSecret: string }
  page: string
  token: string
  scopes: string[]
  pkce: boolean
}
const doors: Record<'google_ads' | 'hubspot' | 'klaviyo' | 'meta' | 'salesforce', Doors> = {
  google_ads: {
    app: googleAdsOAuth,
    page: '/o/oauth2/v2/auth',
    token: '/token',
    scopes: ['https://www.googleapis.com/auth/adwords'],
    pkce: true,
  },
  hubspot: {
    app: hubspotOAuth,
    page: '/oauth/authorize',
    token: '/oauth/2026-09/token',
    scopes: ['oauth', 'crm.objects.contacts.read'],
    pkce: false,
  },
  klaviyo: { app: klaviyoOAuth, page: '/oauth/authorize', token: '/oauth/token', scopes: ['accounts:read', 'lists:read'], pkce: true },
  meta: { app: metaApp, page: '/v26.0/dialog/oauth', token: '/v26.0/oauth/access_token', scopes: ['ads_read'], pkce: false },
  salesforce: {
    app: salesforceOAuth,
    page: '/services/oauth2/authorize',
    token: '/services/oauth2/token',
    scopes: ['api', 'refresh_token'],
    pkce: true,
  },
}
const pageOf = ({ app, page, scopes, pkce }: Doors) =>
  `${sandbox.url}${page}?${new URLSearchParams({
    response_type: 'code',
    client_id: app.clientId,
    redirect_uri: redirect,
    state: 's&1',
    access_type: 'offline',
    prompt: 'consent',
    scope: scopes.join(' '),
    ...(pkce ? { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' } : {}),
  })}`

/** The exchange of a code, in the form that each vendor takes. */
function exchange({ app, token }: Doors, code: string, more: Record<string, string> = {}): Promise<Response> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: app.clientId,
    client_secret: app.clientSecret,
    redirect_uri: redirect,
    code_verifier: verifier,
    code,
    ...more,
  })
  if (app === metaApp) return fetch(`${sandbox.url}${token}?${form}`)
  const basic = `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`
  return fetch(`${sandbox.url}${token}`, { method: 'POST', body: form, headers: app === klaviyoOAuth ? { authorization: basic } : {} })
}
const codeOf = (url: URL) => url.searchParams.get('code') ?? ''

describe.each(Object.keys(doors) as (keyof typeof doors)[])('the consent page of %s', (name) => {
  const door = doors[name]

  it('leads back with a code and the state, and the code is good once', async () => {
    const back = await click(pageOf(door))
    expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([redirect, 's&1'])
    const first = (await (await exchange(door, codeOf(back))).json()) as { access_token: string; refresh_token?: string }
    expect(first.access_token).toBeTruthy()
    expect(first.refresh_token !== undefined).toBe(name !== 'meta')
    expect((await exchange(door, codeOf(back))).ok).toBe(false)
  })

  it('a code is refused that has ended, or goes to another address', async () => {
    const [ended, elsewhere] = [await click(pageOf(door)), await click(pageOf(door))]
    expect((await exchange(door, codeOf(elsewhere), { redirect_uri: 'http://localhost:10/callback' })).ok).toBe(false)
    await fetch(`${sandbox.url}/_sandbox/access/${name}/expire-codes`, { method: 'POST', body: '{}' })
    expect((await exchange(door, codeOf(ended))).ok).toBe(false)
  })

  it.runIf(door.pkce)('a code is refused without the verifier of its challenge', async () => {
    const back = await click(pageOf(door))
    expect((await exchange(door, codeOf(back), { code_verifier: 'w'.repeat(64) })).ok).toBe(false)
  })

  it('refuses other apps and addresses on the page itself, and tells the app what a person refused', async () => {
    const asked = (name: string, value: string) => {
      const page = new URL(pageOf(door))
      page.searchParams.set(name, value)
      return fetch(page, { redirect: 'manual' })
    }
    expect((await asked('client_id', 'another')).status).toBe(400)
    expect((await asked('redirect_uri', 'https://elsewhere.example/')).status).toBe(400)
    const back = await click(pageOf(door), { decision: 'deny' })
    expect([back.searchParams.get('error'), back.searchParams.get('state')]).toEqual(['access_denied', 's&1'])
  })
})

describe('what was granted', () => {
  it.each(['klaviyo', 'hubspot'] as const)('%s names it with the tokens, which can do no more, after a refresh neither', async (name) => {
    const door = doors[name]
    const back = await click(pageOf(door), { without: [door.scopes[1]!] })
    const given = (await (await exchange(door, codeOf(back))).json()) as Record<string, string>
    expect(given.scope ?? given.scopes).toEqual(name === 'klaviyo' ? 'accounts:read' : ['oauth'])
    const refresh = { grant_type: 'refresh_token', refresh_token: given.refresh_token! }
    const next = (await (await exchange(door, '', refresh)).json()) as Record<string, string>
    const path = name === 'klaviyo' ? '/api/lists' : '/crm/v3/objects/contacts'
    for (const { access_token } of [given, next]) {
      const answer = await fetch(sandbox.url + path, { headers: { authorization: `Bearer ${access_token}`, revision: '2026-07-15' } })
      expect(answer.status).toBe(403)
    }
    expect((await exchange(door, '', refresh)).status).toBe(400)
  })

  it('Google gives a refresh token with the first consent only, unless the person was asked anew, and to offline apps alone', async () => {
    const door = doors.google_ads
    const refreshOf = async (more: Record<string, string>) => {
      const page = new URL(pageOf(door))
      for (const [name, value] of Object.entries(more)) page.searchParams.set(name, value)
      return ((await (await exchange(door, codeOf(await click(page.href)))).json()) as { refresh_token?: string }).refresh_token
    }
    expect(await refreshOf({})).toBeDefined()
    expect(await refreshOf({ prompt: 'none' })).toBeUndefined()
    expect(await refreshOf({ access_type: 'online' })).toBeUndefined()
    expect(await refreshOf({})).toBeDefined()
  })
})
