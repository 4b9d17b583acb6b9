import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/search-console/source.js'
import type { Slicing } from '../../../src/core/types.js'
import { all, onlyWhatIsWritten, pagesOf, recordsOf } from '../vendor.js'
import { grants, key, open, origin, queryPath, refusal, site } from './wire.js'

const { sites, sitemaps, site_daily, query_daily } = connector.source.streams
const row = (keys: string[], clicks = 1) => ({ keys, clicks, impressions: 8, ctr: clicks / 8, position: 3.5 })
const day = { parent: site, from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T00:00:00.000Z' }
const answer = (...rows: object[]) => ({ ...(rows.length > 0 ? { rows } : {}), responseAggregationType: 'byProperty' })

onlyWhatIsWritten()

describe('search analytics', () => {
  it('are asked for by whole days, both ends included, at the largest page, final figures alone', async () => {
    grants()
    const body = {
      startDate: '2026-11-01',
      endDate: '2026-11-01',
      dimensions: ['date', 'query', 'country', 'device'],
      rowLimit: 25_000,
      dataState: 'final',
    }
    nock(origin)
      .post(queryPath(), { ...body, startRow: 0 })
      .reply(200, answer(row(['2026-11-01', 'größe 42', 'deu', 'MOBILE'], 2)))
      .post(queryPath(), { ...body, startRow: 1 })
      .reply(200, answer())
    expect(await recordsOf(open().http, query_daily, { slice: day })).toEqual([
      {
        site_url: site,
        date: '2026-11-01',
        query: 'größe 42',
        country: 'deu',
        device: 'MOBILE',
        row_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        clicks: 2,
        impressions: 8,
        ctr: 0.25,
        position: 3.5,
      },
    ])
  })

  it('go on behind what has come, however short a page is, and end where nothing comes', async () => {
    grants()
    const rows = Array.from({ length: 5 }, (_, n) => row(['2026-11-01', `q${n}`, 'deu', 'MOBILE']))
    const at = (startRow: number, ...page: object[]) =>
      nock(origin)
        .post(queryPath(), (body) => body.startRow === startRow)
        .reply(200, answer(...page))
    at(0, ...rows.slice(0, 3))
    at(3, ...rows.slice(3))
    at(5)
    const pages = await pagesOf(open().http, query_daily, { slice: day })
    expect(pages.map(({ records, resume }) => [records.length, resume?.next])).toEqual([
      [3, '3'],
      [2, '5'],
      [0, undefined],
    ])
    grants()
    at(3, ...rows.slice(3))
    at(5)
    expect(
      (await pagesOf(open().http, query_daily, { slice: day, resume: pages[0]!.resume! })).flatMap(({ records }) => records),
    ).toHaveLength(2)
  })

  it('an answer without rows and without a word on how they were added up is none', async () => {
    grants()
    nock(origin).post(queryPath()).reply(200, {})
    await expect(pagesOf(open().http, query_daily, { slice: day })).rejects.toMatchObject({ reason: 'transient' })
  })

  it('begin on the first day that has figures, which one small query tells', async () => {
    const { earliest } = site_daily!.passes[0].slicing as Extract<Slicing, { by: 'time' }>
    grants()
    nock(origin)
      .post(queryPath(), (body) => JSON.stringify(body.dimensions) === '["date"]')
      .reply(200, answer(row(['2026-10-07'], 9), row(['2026-10-02'], 4)))
      .post(queryPath())
      .reply(200, answer())
    const { http } = open()
    expect(await earliest!(http, undefined, site)).toBe('2026-10-02T00:00:00.000Z')
    expect(await earliest!(http, '2026-11-01T00:00:00.000Z', site)).toBeUndefined()
  })

  it('of an exceeded load wait a quarter of an hour, which no worker sits out', async () => {
    grants()
    nock(origin)
      .post(queryPath())
      .reply(403, refusal(403, 'quotaExceeded', 'Quota Exceeded', 'usageLimits'))
    const opened = open()
    await expect(pagesOf(opened.http, query_daily, { slice: day })).rejects.toMatchObject({
      reason: 'throttled',
      where: { waitUntil: '2026-11-23T12:15:00.000Z' },
    })
    expect(opened.clock.slept).toEqual([])
  })
})

describe('properties', () => {
  const entries = [
    { siteUrl: site, permissionLevel: 'siteOwner' },
    { siteUrl: 'https://old.example.com/', permissionLevel: 'siteUnverifiedUser' },
  ]
  const list = (body: object) => nock(origin).get('/webmasters/v3/sites').reply(200, body)

  it('are listed whole; an empty list is not written at all', async () => {
    grants()
    list({ siteEntry: entries })
    list({})
    const { http } = open()
    expect(await recordsOf(http, sites)).toEqual(entries)
    expect(await recordsOf(http, sites)).toEqual([])
  })

  it('that are not verified are left out, unless they are named', async () => {
    const { parents } = sitemaps!.passes[0].slicing as Extract<Slicing, { by: 'parent' }>
    grants()
    list({ siteEntry: entries })
    expect(await all(parents(open().http))).toEqual([site])
    const named = ['https://old.example.com/']
    expect(await all(parents(open({ ...key, sites: named }).http))).toEqual(named)
  })

  it('that are addresses stand in a path as one step', async () => {
    grants()
    nock(origin)
      .get('/webmasters/v3/sites/https%3A%2F%2Fwww.example.com%2F/sitemaps')
      .reply(200, { sitemap: [{ path: 'x', warnings: '0', errors: '3' }] })
    expect(await recordsOf(open().http, sitemaps, { slice: { parent: 'https://www.example.com/' } })).toEqual([
      { site_url: 'https://www.example.com/', path: 'x', warnings: '0', errors: '3' },
    ])
  })

  it('are told by check: what may be read, what is closed, what is missing', async () => {
    grants()
    list({ siteEntry: entries })
    const { http } = open({ ...key, sites: [site, 'https://old.example.com/', 'https://gone.example.com/'] })
    const findings = await all(connector.source.check(http))
    expect(findings.map(({ name, ok }) => [name, ok])).toEqual([
      [`site ${site}`, true],
      ['site https://old.example.com/', false],
      ['site https://gone.example.com/', false],
      ['API version', true],
    ])
  })
})

describe('a service account', () => {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const file = { client_email: 'weir@project.iam.gserviceaccount.com', private_key: pair.privateKey, private_key_id: 'k1' }

  it('signs for an hour and this scope alone', async () => {
    let assertion = ''
    nock('https://oauth2.googleapis.com')
      .post('/token', (form) => {
        assertion = form.assertion
        return form.grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
      })
      .reply(200, { access_token: 'ya29.y', expires_in: 3599 })
    nock(origin, { reqheaders: { authorization: 'Bearer ya29.y' } })
      .get('/webmasters/v3/sites')
      .reply(200, {})
    await recordsOf(open({ service_account: JSON.stringify(file) }).http, sites)
    const [head, claims, signature] = assertion.split('.') as [string, string, string]
    expect(
      verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), createPublicKey(pair.publicKey), Buffer.from(signature, 'base64url')),
    ).toBe(true)
    const { iat, exp, ...said } = JSON.parse(Buffer.from(claims, 'base64url').toString())
    expect(exp - iat).toBe(3_600)
    expect(said).toEqual({
      iss: file.client_email,
      scope: 'https://www.googleapis.com/auth/webmasters.readonly',
      aud: 'https://oauth2.googleapis.com/token',
    })
  })

  it('that is no key file, or whose key is none, is refused before any request, and not quoted', async () => {
    for (const service_account of ['{"private', '{}', JSON.stringify({ ...file, private_key: 'no key' })]) {
      const reading = async () => recordsOf(open({ service_account }).http, sites)
      await expect(reading()).rejects.toMatchObject({ reason: 'config', message: expect.not.stringContaining('{"private') })
    }
  })
})

describe('a report of the user’s own', () => {
  it('groups by what is asked for, of the search that is asked for', async () => {
    const images = connector.source.custom!('images', { dimensions: ['page'], search_type: 'image' })
    grants()
    nock(origin)
      .post(queryPath(), (body) => body.type === 'image' && JSON.stringify(body.dimensions) === '["date","page"]')
      .reply(200, answer(row(['2026-11-01', 'https://example.com/a'])))
      .post(queryPath())
      .reply(200, answer())
    expect(await recordsOf(open().http, images, { slice: day })).toMatchObject([{ page: 'https://example.com/a', clicks: 1 }])
    expect(images.key).toEqual(['site_url', 'row_id'])
  })
})
