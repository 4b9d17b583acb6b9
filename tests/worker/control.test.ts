import { MockActivityEnvironment } from '@temporalio/testing'
import { describe, expect, it } from 'vitest'
import { governedSource } from '../../src/columns/governed.js'
import type { AskReceipt } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import type { Source } from '../../src/core/types.js'
import type { Answers } from '../../src/engine/ask.js'
import { noMeter } from '../../src/observe/metrics.js'
import { noTrace } from '../../src/observe/trace.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { controlActivities } from '../../worker/activities/control.js'
import { type Deps, systemClock } from '../../worker/deps.js'
import { fakeDefinition, fakeStream, noHttp } from '../support/fake-source.js'

const person = { id: '1', name: 'canary', updated: '2026-01-01T00:00:00Z' }
const source: Source = {
  type: 'fake',
  streams: { people: fakeStream({ pages: () => [[person]] }), others: fakeStream({ name: 'others', pages: () => [[person]] }) },
  check: async function* () {},
}
/** `others` is no stream of the sync: the rules above the streams hold for it all the same. */
const definition = fakeDefinition({ columns: { name: 'drop' }, streams: { people: { raw: 'keep', columns: { name: 'drop' } } } })

async function ask<Q extends keyof Answers>(question: Q, stream: string): Promise<Answers[Q]> {
  let answer: unknown
  const warehouse = {
    definitions: { get: async () => definition },
    handovers: {
      put: async (body: unknown) => {
        answer = body
        return 'row'
      },
    },
  } as unknown as Warehouse
  const deps: Deps = {
    warehouse,
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    redact: (text) => text,
    meter: noMeter,
    trace: noTrace,
    timing: { heartbeatMs: 1_000, retryMs: 100 },
    connect: async (seen: Definition) => ({ source: governedSource(source, seen, undefined), http: noHttp() }),
    close: async () => {},
  }
  const receipt: AskReceipt = await new MockActivityEnvironment().run(controlActivities(deps).ask, {
    question,
    stream,
    sync: 'fake',
    definition: 'none',
  })
  expect(receipt).toEqual({ handover: 'row' })
  return answer as Answers[Q]
}

describe('questions of people under a column policy', () => {
  it.each(['people', 'others'])('a preview of %s shows what the policy leaves, once', async (stream) => {
    const { records, fields } = await ask('preview', stream)
    expect(records).toEqual([{ id: '1', updated: person.updated }])
    expect(Object.keys(fields)).toEqual(['id', 'updated'])
  })

  it('the fields are listed by the names that a policy uses, dropped ones included', async () => {
    const { streams } = await ask('discover', 'people')
    expect(Object.keys(streams[0]!.fields)).toEqual(['id', 'name', 'updated'])
  })
})
