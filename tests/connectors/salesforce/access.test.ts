import { createVerify, generateKeyPairSync } from 'node:crypto'
import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { salesforce } from '../../../connectors/salesforce/api.js'
import { connector } from '../../../connectors/salesforce/source.js'
import type { Finding } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten } from '../vendor.js'
import { ask, login, open, org, v } from './wire.js'

onlyWhatIsWritten()

describe('access to Salesforce', () => {
  const token = (more = {}) => ({
    access_token: 'T1',
    instance_url: org,
    id: `${login}/id/00D/005`,
    token_type: 'Bearer',
    issued_at: '1795451600000',
    ...more,
  })
  const limits = (bearer: string) => nock(org, { reqheaders: { authorization: `Bearer ${bearer}` } }).get(`${v}/limits`)

  it('by a refresh token that rotates goes to the org that the answer names, and spends each token once', async () => {
    const form = (refresh: string) => ({ grant_type: 'refresh_token', refresh_token: refresh, client_id: 'app', client_secret: 'secret' })
    nock(login)
      .post('/services/oauth2/token', form('R1'))
      .reply(200, token({ refresh_token: 'R2' }))
    limits('T1').reply(401, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }])
    nock(login)
      .post('/services/oauth2/token', form('R2'))
      .reply(200, token({ access_token: 'T2', refresh_token: 'R3', instance_url: 'https://moved.my.salesforce.com' }))
    nock('https://moved.my.salesforce.com').get(`${v}/limits`).reply(200, {})
    await ask(connect(connector, { client_id: 'app', client_secret: 'secret', refresh_token: 'R1' }))
  })

  it('by JWT signs who it is, for three minutes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    let assertion = ''
    nock('https://test.salesforce.com')
      .post('/services/oauth2/token', (form: Record<string, string>) => {
        assertion = form.assertion ?? ''
        return form.grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
      })
      .reply(200, token())
    limits('T1').reply(200, {})
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    await ask(
      connect(connector, { login_url: 'https://test.salesforce.com/', client_id: 'app', private_key: pem, username: 'weir@acme.example' }),
    )
    const [head = '', claims = '', signature = ''] = assertion.split('.')
    expect(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      iss: 'app',
      sub: 'weir@acme.example',
      aud: 'https://test.salesforce.com',
      exp: Date.parse('2026-11-23T12:03:00Z') / 1000,
    })
  })

  it('by client credentials asks the org’s own domain', async () => {
    nock(org)
      .post('/services/oauth2/token', { grant_type: 'client_credentials', client_id: 'app', client_secret: 'secret' })
      .reply(200, token())
    limits('T1').reply(200, {})
    await ask(connect(connector, { login_url: org, client_id: 'app', client_secret: 'secret' }))
  })

  it.each(['invalid_grant', 'invalid_client_id', 'invalid_client'])('ends with %s, for a person to act', async (error) => {
    nock(login).post('/services/oauth2/token').reply(400, { error, error_description: 'expired access/refresh token' })
    await expect(ask(connect(connector, { client_id: 'app', client_secret: 'secret', refresh_token: 'R1' }))).rejects.toMatchObject({
      reason: 'auth',
      where: { status: 400, code: error },
    })
  })

  it('needs a session, or an app with one proof', () => {
    const { success: token } = connector.settings.safeParse({ access_token: 'x', instance_url: org })
    expect(token).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b', refresh_token: 'c' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', private_key: 'k', username: 'u' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b', login_url: org }).success).toBe(true)
    // There a person consents.
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b', login_url: login }).success).toBe(true)
    for (const wrong of [{}, { client_id: 'a' }, { client_id: 'a', private_key: 'k' }])
      expect(connector.settings.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
  })

  it('is checked object by object, with version and quotas', async () => {
    nock(org)
      .get(`${v}/sobjects`)
      .reply(200, { sobjects: ['Account', 'Contact', 'Lead', 'Campaign'].map((name) => ({ name })) })
      .get(`${v}/limits`)
      .reply(200, { DailyApiRequests: { Max: 100_000, Remaining: 900 }, DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 9_998 } })
    const findings: Finding[] = []
    for await (const finding of connector.source.check(open().http)) findings.push(finding)
    expect(findings.find(({ name }) => name === 'API version')).toMatchObject({ ok: true, message: expect.stringContaining('68.0') })
    expect(findings.find(({ name }) => name === 'API requests')).toMatchObject({ ok: false })
    expect(findings.find(({ name }) => name === 'bulk query jobs')).toMatchObject({ ok: true })
    expect(findings.find(({ name }) => name === 'object of opportunities')).toMatchObject({
      ok: false,
      hint: expect.stringContaining('administrator'),
    })
  })

  it('pins a version with the day until which it is served', () => {
    expect(salesforce.versions.map(({ name }) => name)).toEqual(connector.apiVersions)
    for (const { sunset } of salesforce.versions) expect(sunset).toMatch(/^20\d\d-\d\d-\d\d$/)
  })
})
