import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { meta } from '../../../connectors/meta/api.js'
import { connector } from '../../../connectors/meta/source.js'
import { regainMs, usagePercent } from '../../../connectors/meta/usage.js'
import { connect, onlyWhatIsWritten } from '../vendor.js'

const minute = 60_000
onlyWhatIsWritten()
// As the rate limit pages show them.
const app = { 'x-app-usage': '{"call_count":28,"total_time":25,"total_cputime":25}' }
const account = (percent: number, seconds = 100) => ({
  'x-ad-account-usage': JSON.stringify({ acc_id_util_pct: percent, reset_time_duration: seconds, ads_api_access_tier: 'standard_access' }),
})
const useCase = (percent: number, minutes: number, tier = 'standard_access') => ({
  'x-business-use-case-usage': JSON.stringify({
    '1234567890': [
      {
        type: 'ads_management',
        call_count: 1,
        total_cputime: 1,
        total_time: 1,
        estimated_time_to_regain_access: 0,
        ads_api_access_tier: tier,
      },
      {
        type: 'ads_insights',
        call_count: 42,
        total_cputime: percent,
        total_time: 15,
        estimated_time_to_regain_access: minutes,
        ads_api_access_tier: tier,
      },
    ],
  }),
})
const insights = (percent: number) => ({
  'x-fb-ads-insights-throttle': JSON.stringify({
    app_id_util_pct: 12.5,
    acc_id_util_pct: percent,
    ads_api_access_tier: 'development_access',
  }),
})

describe('the usage headers', () => {
  it('tell the worst percent of any of them, and the access', () => {
    expect(usagePercent(app)).toEqual({ percent: 28, tier: undefined })
    expect(usagePercent({ ...app, ...account(9.67) })).toEqual({ percent: 28, tier: 'standard_access' })
    expect(usagePercent({ ...app, ...useCase(140, 0) }).percent).toBe(140)
    expect(usagePercent(insights(88))).toEqual({ percent: 88, tier: 'development_access' })
    expect(usagePercent({ 'x-app-usage': 'rubbish' })).toEqual({ percent: 0, tier: undefined })
  })

  it('count minutes in one and seconds in another', () => {
    expect(regainMs(useCase(100, 7))).toBe(7 * minute)
    expect(regainMs(account(100, 300))).toBe(300_000)
    expect(regainMs({ ...useCase(100, 2), ...account(100, 300) })).toBe(5 * minute)
    // Below the limit its reset is of no concern.
    expect(regainMs(account(50, 300))).toBeUndefined()
    expect(regainMs(app)).toBeUndefined()
  })

  it.each([
    [{ ...app, ...account(9.67) }, undefined],
    [account(80), 10_000],
    [insights(86), 2 * minute],
    [useCase(96, 0), 10 * minute],
    [useCase(101, 30), 30 * minute],
  ])('brake before Meta refuses (%#)', (headers, pauseMs) => {
    expect(meta.learn!(headers as Record<string, string>)?.pauseMs).toBe(pauseMs)
  })

  it('tell how large the account’s window is', () => {
    expect(meta.learn!(account(1))?.window).toEqual({ count: 5_400, perMs: 5 * minute })
    expect(meta.learn!(insights(1))?.window).toEqual({ count: 36, perMs: 5 * minute })
    expect(meta.learn!(app)?.window).toBeUndefined()
  })

  it('say how long to wait after a refusal; without them a block lasts five minutes', () => {
    const body = { error: { code: 17, error_subcode: 2446079, message: '(#17) User request limit reached' } }
    const told = (headers: Record<string, string>, error = body) => meta.retryAfterMs!({ status: 400, headers, body: error })
    expect(told(useCase(100, 4))).toBe(4 * minute)
    expect(told({})).toBe(5 * minute)
    // Nothing to wait for is said, too: the client backs off by itself.
    expect(told(useCase(100, 0))).toBeUndefined()
    expect(told(useCase(100, 4), { error: { code: 2, error_subcode: 0, message: '' } })).toBeUndefined()
  })
})

describe('an account that is nearly spent', () => {
  const settings = { access_token: 'EAABtest', ad_accounts: ['act_1', 'act_2'] }

  it('rests, and another account of the same token goes on', async () => {
    const { http } = connect(connector, settings)
    const ask = (payer: string) => http.request({ path: `/v26.0/act_${payer}`, payer })
    nock(meta.origin).get('/v26.0/act_1').reply(200, { id: 'act_1' }, useCase(96, 0))
    nock(meta.origin).get('/v26.0/act_2').reply(200, { id: 'act_2' }, account(1))
    await ask('1')
    await expect(ask('1')).rejects.toMatchObject({ reason: 'throttled', where: { waitUntil: '2026-11-23T12:10:00.000Z' } })
    expect((await ask('2')).body).toEqual({ id: 'act_2' })
  })

  it('is waited for as its headers say, without another call', async () => {
    const { http } = connect(connector, settings)
    const refusal = { error: { code: 80_000, error_subcode: 2446079, message: '(#80000) There have been too many calls', fbtrace_id: 'A' } }
    nock(meta.origin).get('/v26.0/act_1').reply(400, refusal, useCase(100, 12))
    await expect(http.request({ path: '/v26.0/act_1', payer: '1' })).rejects.toMatchObject({
      reason: 'throttled',
      where: { code: '80000/2446079', waitUntil: '2026-11-23T12:12:00.000Z' },
    })
  })
})

describe('the credential', () => {
  it('goes as a header, its proof as a parameter of every call, and neither into a message', async () => {
    const { http } = connect(connector, { access_token: 'EAABsecrettoken', app_secret: 'appsecret', ad_accounts: ['act_1'] })
    // echo -n EAABsecrettoken | openssl dgst -sha256 -hmac appsecret
    const proof = '66d97dcc718c934d6ddae953db1385828b7d02b3cf5758e00e0594c3f3ae77f7'
    nock(meta.origin, { reqheaders: { authorization: 'Bearer EAABsecrettoken' } })
      .post('/v26.0/act_1/insights')
      .query({ appsecret_proof: proof })
      .reply(400, { error: { code: 100, message: `Invalid appsecret_proof ${proof} of EAABsecrettoken` } })
    const failed = await http.request({ method: 'POST', path: '/v26.0/act_1/insights', body: {} }).catch((error: Error) => error)
    expect(failed).toMatchObject({ reason: 'auth' })
    expect(String((failed as Error).stack)).not.toMatch(new RegExp(`${proof.slice(0, 12)}|EAABsecret`))
    expect(JSON.stringify(http.settings)).not.toContain('secret')
  })
})
