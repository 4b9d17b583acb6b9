import { randomBytes } from 'node:crypto'
import type { Client } from '@temporalio/client'
import { ApplicationFailure, DefaultFailureConverter, defaultPayloadConverter, type PayloadCodec } from '@temporalio/common'
import { expect, it } from 'vitest'
import { historyOf } from '../../cli/run-history.js'
import type { SliceReceipt } from '../../src/core/activities.js'
import { noCounts } from '../../src/core/receipt.js'
import { payloadCodec } from '../../worker/codec.js'

const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })

/** A history of one slice that failed once, waited, and is read through this codec. */
async function told(codec: PayloadCodec, receipt: Partial<SliceReceipt>) {
  const payload = async (value: unknown) => (await codec.encode([defaultPayloadConverter.toPayload(value)!]))[0]
  const failure = failureConverter.errorToFailure(ApplicationFailure.create({ message: 'the vendor hung up' }), defaultPayloadConverter)
  const [hidden] = await codec.encode([failure.encodedAttributes!])
  const eventTime = { seconds: 0, nanos: 0 }
  const events = [
    {
      eventId: 5,
      eventTime,
      activityTaskScheduledEventAttributes: { activityType: { name: 'syncSlice' }, input: { payloads: [await payload({ label: 'May' })] } },
    },
    {
      eventTime,
      activityTaskStartedEventAttributes: { scheduledEventId: 5, attempt: 2, lastFailure: { ...failure, encodedAttributes: hidden } },
    },
    {
      eventTime,
      activityTaskCompletedEventAttributes: { scheduledEventId: 5, result: { payloads: [await payload({ ...noCounts(), ...receipt })] } },
    },
  ]
  const client = {
    options: { loadedDataConverter: { payloadConverter: defaultPayloadConverter, payloadCodecs: [codec] } },
    workflow: { getHandle: () => ({ fetchHistory: async () => ({ events }) }) },
  } as unknown as Client
  return (await historyOf(client, { workflow: 'stream/shop/orders', run: 'r' })).lines.map(({ text }) => text)
}

const until = '2026-11-27T12:00:00.000Z'

it.each([true, false])('says why a try failed, encrypted (%s) or not', async (isEncrypted) => {
  const [retry] = await told(payloadCodec(randomBytes(32).toString('base64'), isEncrypted), {})
  expect(retry).toBe('May: attempt 2, since the one before failed: the vendor hung up')
})

it.each([
  ['vendor', 'the vendor, which is down,'],
  ['quota', "the vendor's quota"],
  [undefined, "the vendor's quota"],
] as const)('says what a slice waits for: %s', async (waitsFor, words) => {
  const codec = payloadCodec(undefined, false)
  const [, slice] = await told(codec, { more: true, waitUntil: until, ...(waitsFor ? { waitsFor } : {}) })
  expect(slice).toBe(`May: 0 read, 0 loaded so far; waits for ${words} until ${until}`)
})
