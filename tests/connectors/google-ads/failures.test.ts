import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/google-ads/source.js'
import { asFailure } from '../../../src/core/failure.js'
import { onlyWhatIsWritten, pagesOf } from '../vendor.js'
import { passing } from './refusals.js'
import { chunk, early, grants, open, origin, type Problem, refusal, shop, stream } from './wire.js'

const { campaigns } = connector.source.streams
const read = ({ http }: ReturnType<typeof open>) => pagesOf(http, campaigns, { slice: { parent: shop } })
const failure = (opened: ReturnType<typeof open>) =>
  read(opened).then(() => {
    throw new Error('it was answered')
  }, asFailure)

onlyWhatIsWritten()

describe('what Google refuses', () => {
  it.each(passing)('%s passes', async (code, family, status, name) => {
    grants()
    nock(origin)
      .post(stream(shop))
      .reply(status, [refusal(status, name, { family, code })])
      .post(stream(shop))
      .reply(200, [chunk({ campaign: { id: '1' } })])
    expect((await read(open())).flatMap(({ records }) => records)).toHaveLength(1)
  })

  it('a bare 401 and a bare 429 without any reason are understood, too', async () => {
    grants()
    grants('ya29.y')
    nock(origin).post(stream(shop)).times(2).reply(401, early(401, 'UNAUTHENTICATED'))
    expect(await failure(open())).toMatchObject({ reason: 'auth', where: { code: 'UNAUTHENTICATED' } })
    grants()
    nock(origin)
      .post(stream(shop))
      .reply(429, early(429, 'RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'))
      .post(stream(shop))
      .reply(200, [])
    expect(await read(open())).toEqual([{ records: [] }])
  })

  it('of several errors in one answer the most permanent counts, in any order', async () => {
    const problems: Problem[] = [
      { family: 'internalError', code: 'TRANSIENT_ERROR' },
      { family: 'authorizationError', code: 'CUSTOMER_NOT_ENABLED' },
    ]
    for (const order of [problems, [...problems].reverse()]) {
      grants()
      nock(origin)
        .post(stream(shop))
        .reply(403, [refusal(403, 'PERMISSION_DENIED', ...order)])
      expect(await failure(open())).toMatchObject({ reason: 'permission', where: { code: 'CUSTOMER_NOT_ENABLED' } })
    }
  })

  it.each([
    ['"12s"', '12s', 12_000],
    ['"1.5s"', '1.5s', 1_500],
  ])('a bucket that is empty is waited for as long as the body says (%s)', async (_, retryDelay, ms) => {
    grants()
    const details = { quotaErrorDetails: { rateScope: 'ACCOUNT', rateName: 'Requests per account', retryDelay } }
    nock(origin)
      .post(stream(shop))
      .reply(429, [refusal(429, 'RESOURCE_EXHAUSTED', { family: 'quotaError', code: 'RESOURCE_TEMPORARILY_EXHAUSTED', details })])
      .post(stream(shop))
      .reply(200, [])
    const opened = open()
    await read(opened)
    expect(opened.clock.slept.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(ms)
  })

  it('operations of the day that are spent are a wait of an hour, which no worker sits out', async () => {
    grants()
    nock(origin)
      .post(stream(shop))
      .reply(429, [refusal(429, 'RESOURCE_EXHAUSTED', { family: 'quotaError', code: 'RESOURCE_EXHAUSTED' })])
    const opened = open()
    const failed = await failure(opened)
    expect(failed).toMatchObject({ reason: 'throttled', where: { waitUntil: '2026-11-23T13:00:00.000Z' } })
    expect(opened.clock.slept).toEqual([])
  })

  it('an error that ends a stream under way fails the slice, whatever was shown before', async () => {
    grants()
    const late = refusal(500, 'INTERNAL', { family: 'internalError', code: 'TRANSIENT_ERROR' })
    nock(origin)
      .post(stream(shop))
      .reply(200, [chunk({ campaign: { id: '1' } }), late])
    expect(await failure(open())).toMatchObject({ reason: 'transient', where: { code: 'TRANSIENT_ERROR' } })
  })

  it('a refresh token that was revoked is told at once, and neither it nor the secret is in the message', async () => {
    nock('https://oauth2.googleapis.com')
      .post('/token')
      .reply(400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' })
    const failed = await failure(open())
    expect(failed).toMatchObject({ reason: 'auth', isFinal: true, where: { code: 'invalid_grant' } })
    expect(failed.message).not.toMatch(/1\/\/first|GOCSPX/)
  })
})
