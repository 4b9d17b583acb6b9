/** Requests to the Data Manager API: another host than that of the Google Ads API, the same credential. */
import type { Failure } from '../../src/core/failure.js'
import type { Http, HttpRequest, HttpResponse } from '../../src/core/types.js'
import { classify } from '../../src/http/classify.js'
import { googleAds } from './api.js'
import { lines, of } from './failures.js'

/** A 400 comes back as an answer: it may name rows, or say that a list is there already. */
export const ask = (http: Http, request: HttpRequest): Promise<HttpResponse> =>
  http.request({ refusals: [400], ...request, host: 'dataManager' })

/** What it says beyond the codes of both (v1, google-ads-datamanager 0.9.4). */
const own = [
  ...of(400, 'config', 'Someone must accept the customer data terms in the Google Ads account.', 'TERMS_AND_CONDITIONS_NOT_SIGNED'),
  ...of(400, 'config', 'The list is gone, or is not one that is filled by contact data.', 'INVALID_USER_LIST_ID', 'INVALID_USER_LIST_TYPE'),
  ...of(
    400,
    'config',
    'Set customer_id to the Google Ads account that has the list.',
    'INVALID_DESTINATION',
    'DESTINATION_ACCOUNT_TYPE_MISMATCH',
  ),
  ...of(
    400,
    'config',
    'The account must declare in Google Ads whether it has political advertising in the European Union.',
    'EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED',
  ),
  ...of(400, 'permanent', 'Google keeps what became of an upload for 50 days.', 'INVALID_REQUEST_ID', 'REQUEST_TOO_OLD'),
  ...of(400, 'too_large', 'Sent again in smaller parts.', 'TOO_MANY_AUDIENCE_MEMBERS'),
]

const api = {
  ...googleAds,
  failures: [...own, ...lines, { status: 400, reason: 'config', hint: 'Look at the destination and its connection.' } as const],
}

/** What a refusal means that is not about rows. */
export const refusedWhole = (asked: string, { status, headers, body }: HttpResponse): Failure =>
  classify(api, '', asked, { status, headers, body })
