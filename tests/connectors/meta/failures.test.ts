import { describe, expect, it } from 'vitest'
import { meta } from '../../../connectors/meta/api.js'
import { classify } from '../../../src/http/classify.js'
import { body } from './refusals.js'

const judged = (status: number, answer: unknown) => classify(meta, 'ads', 'GET /v26.0/act_1/ads', { status, headers: {}, body: answer })

describe('the table of failures', () => {
  it('takes the code for what counts, whatever the status is, and a stranger’s answer for no refusal', () => {
    for (const status of [400, 403, 429, 500]) expect(judged(status, body(17, 2446079)).reason).toBe('throttled')
    expect(judged(403, undefined).reason).toBe('transient')
    expect(judged(500, undefined).reason).toBe('transient')
    expect(judged(400, { error: { message: 'quite new', code: 424_242 } }).reason).toBe('permanent')
  })
})
