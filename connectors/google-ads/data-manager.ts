/** Requests to the Data Manager API: another host than that of the Google Ads API, the same credential. */
import type { Failure } from '../../src/core/failure.js'
import type { Http, HttpRequest, HttpResponse } from '../../src/core/types.js'
import { classify } from '../../src/http/classify.js'
import { googleAds } from './api.js'
import { lines } from './failures.js'

/** A 400 comes back as an answer: it may name rows, or say that a list is there already. */
export const ask = (http: Http, request: HttpRequest): Promise<HttpResponse> =>
  http.request({ ...request, host: 'dataManager', refusals: [400] })

const api = {
  ...googleAds,
  failures: [...lines, { status: 400, reason: 'config', hint: 'Look at the destination and its connection.' } as const],
}

/** What a refusal means that is not about rows. */
export const refused = (asked: string, { status, headers, body }: HttpResponse): Failure =>
  classify(api, '', asked, { status, headers, body })
