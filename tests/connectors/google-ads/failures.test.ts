import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { lines } from '../../../connectors/google-ads/failures.js'
import { connector } from '../../../connectors/google-ads/source.js'
import { asFailure, type Reason } from '../../../src/core/failure.js'
import { onlyWhatIsWritten, pagesOf } from '../vendor.js'
import { chunk, early, grants, open, origin, type Problem, refusal, shop, stream } from './wire.js'

const { campaigns } = connector.source.streams
const read = ({ http }: ReturnType<typeof open>) => pagesOf(http, campaigns, { slice: { parent: shop } })
const failure = (opened: ReturnType<typeof open>) =>
  read(opened).then(() => {
    throw new Error('it was answered')
  }, asFailure)

onlyWhatIsWritten()

/** Every code of the vendor that means something of its own: its family, the status of that, and what Weir makes of it. */
const table: [code: string, family: string, status: number, name: string, reason: Reason][] = [
  ['OAUTH_TOKEN_EXPIRED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_INVALID', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_REVOKED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_DISABLED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['OAUTH_TOKEN_HEADER_INVALID', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['NOT_ADS_USER', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['GOOGLE_ACCOUNT_DELETED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['TWO_STEP_VERIFICATION_NOT_ENROLLED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['ADVANCED_PROTECTION_NOT_ENROLLED', 'authenticationError', 401, 'UNAUTHENTICATED', 'auth'],
  ['CUSTOMER_NOT_FOUND', 'authenticationError', 401, 'UNAUTHENTICATED', 'permission'],
  ['CLIENT_CUSTOMER_ID_INVALID', 'authenticationError', 401, 'UNAUTHENTICATED', 'permission'],
  ['CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['CLOUD_PROJECT_NOT_FOUND', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['PROJECT_DISABLED', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['DEVELOPER_TOKEN_NOT_APPROVED', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['ACTION_NOT_PERMITTED', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['MISSING_TOS', 'authorizationError', 403, 'PERMISSION_DENIED', 'config'],
  ['UNSUPPORTED_VERSION', 'requestError', 400, 'INVALID_ARGUMENT', 'config'],
  ['INVALID_LOGIN_CUSTOMER_ID', 'headerError', 400, 'INVALID_ARGUMENT', 'config'],
  ['USER_PERMISSION_DENIED', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['CUSTOMER_NOT_ENABLED', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['ACCESS_DENIED_FOR_ACCOUNT_TYPE', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['METRIC_ACCESS_DENIED', 'authorizationError', 403, 'PERMISSION_DENIED', 'permission'],
  ['REQUESTED_METRICS_FOR_MANAGER', 'queryError', 400, 'INVALID_ARGUMENT', 'permission'],
  ['REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED', 'dateRangeError', 400, 'INVALID_ARGUMENT', 'config'],
  ['INVALID_DATE', 'dateRangeError', 400, 'INVALID_ARGUMENT', 'config'],
  ['DATE_TOO_OLD', 'clickViewError', 400, 'INVALID_ARGUMENT', 'permanent'],
  ['START_DATE_TOO_OLD', 'changeStatusError', 400, 'INVALID_ARGUMENT', 'permanent'],
  ['RPC_DEADLINE_TOO_SHORT', 'requestError', 504, 'DEADLINE_EXCEEDED', 'too_large'],
  ['EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION', 'quotaError', 429, 'RESOURCE_EXHAUSTED', 'too_large'],
  ['DATE_RANGE_TOO_WIDE', 'queryError', 400, 'INVALID_ARGUMENT', 'too_large'],
  ['TOO_MANY_SEGMENTS', 'queryError', 400, 'INVALID_ARGUMENT', 'too_large'],
  ['REQUEST_TOO_LARGE', 'databaseError', 400, 'INVALID_ARGUMENT', 'too_large'],
  ['RESOURCE_EXHAUSTED', 'quotaError', 429, 'RESOURCE_EXHAUSTED', 'throttled'],
  ['EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION', 'quotaError', 429, 'RESOURCE_EXHAUSTED', 'throttled'],
  // Whatever else a query or a request is refused for: nobody but its author can mend it.
  ['UNRECOGNIZED_FIELD', 'queryError', 400, 'INVALID_ARGUMENT', 'config'],
  ['EXPECTED_FILTERS_ON_DATE_RANGE', 'queryError', 400, 'INVALID_ARGUMENT', 'config'],
  ['PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE', 'queryError', 400, 'INVALID_ARGUMENT', 'config'],
  ['PAGE_SIZE_NOT_SUPPORTED', 'requestError', 400, 'INVALID_ARGUMENT', 'config'],
]
/** They pass in seconds, so that the request is repeated. */
const passing: [code: string, family: string, status: number, name: string][] = [
  ['TRANSIENT_ERROR', 'internalError', 500, 'INTERNAL'],
  ['INTERNAL_ERROR', 'internalError', 500, 'INTERNAL'],
  ['DEADLINE_EXCEEDED', 'internalError', 504, 'DEADLINE_EXCEEDED'],
  ['CONCURRENT_MODIFICATION', 'databaseError', 409, 'ABORTED'],
  ['RESOURCE_TEMPORARILY_EXHAUSTED', 'quotaError', 429, 'RESOURCE_EXHAUSTED'],
]
/** What stands before the Ads API says so with a reason only. */
const front: [reason: string, status: number, name: string, Reason][] = [
  ['ACCESS_TOKEN_EXPIRED', 401, 'UNAUTHENTICATED', 'auth'],
  ['ACCESS_TOKEN_SCOPE_INSUFFICIENT', 403, 'PERMISSION_DENIED', 'auth'],
  ['SERVICE_DISABLED', 403, 'PERMISSION_DENIED', 'config'],
]

describe('what Google refuses, code by code', () => {
  it.each(table)('%s is told once, as what it is', async (code, family, status, name, reason) => {
    const isRenewed = status === 401 && reason === 'auth'
    grants()
    if (isRenewed) grants('ya29.y')
    nock(origin)
      .post(stream(shop))
      .times(isRenewed ? 2 : 1)
      .reply(status, [refusal(status, name, { family, code })])
    const failed = await failure(open())
    expect(failed).toMatchObject({ reason, where: { status, code } })
    expect(failed.message).toContain('Said by Google.')
    const line = lines.find((one) => one.code === code)
    if (line?.hint) expect(failed.message).toContain(line.hint)
  })

  it.each(passing)('%s passes', async (code, family, status, name) => {
    grants()
    nock(origin)
      .post(stream(shop))
      .reply(status, [refusal(status, name, { family, code })])
      .post(stream(shop))
      .reply(200, [chunk({ campaign: { id: '1' } })])
    expect((await read(open())).flatMap(({ records }) => records)).toHaveLength(1)
  })

  it.each(front)('%s of the layer before is understood, too', async (said, status, name, reason) => {
    grants()
    if (status === 401) grants('ya29.y')
    nock(origin)
      .post(stream(shop))
      .times(status === 401 ? 2 : 1)
      .reply(status, early(status, name, said))
    expect(await failure(open())).toMatchObject({ reason, where: { code: said } })
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

  it('the table of the connector and this one know the same codes', () => {
    const known = [...table.slice(0, -4).map(([code]) => code), ...passing.map(([code]) => code), ...front.map(([code]) => code)]
    expect(new Set([...known, 'RATE_LIMIT_EXCEEDED'])).toEqual(new Set(lines.map(({ code }) => code)))
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
