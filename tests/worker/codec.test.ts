import { randomBytes, randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import type proto from '@temporalio/proto'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { noCounts } from '../../src/core/receipt.js'
import { bundleWorkflows } from '../../worker/bundle.js'
import { encryptsPayloads, payloadCodec } from '../../worker/codec.js'
import { type SmallProject, smallProject, startWorker, type WorkerProcess } from '../support/worker.js'
import { fakeActivities } from '../support/workflows.js'

const key = randomBytes(32).toString('base64')
const encodingOf = ({ metadata }: Payload) => Buffer.from(metadata?.encoding ?? []).toString()

/** Every payload that stands anywhere in a history; search attributes are plain, since the server searches them. */
function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  if ('metadata' in value && 'data' in value && typeof value.metadata === 'object') return [value as Payload]
  // What the SDK notes in markers of its own (a patch's name, when an activity ran) it writes as it is.
  const isOfTheSdk = (name: string, part: unknown) =>
    ['searchAttributes', 'patch-data'].includes(name) ||
    (name === 'data' && typeof part === 'object' && part !== null && 'payloads' in part)
  return Object.entries(value).flatMap(([name, part]) => (isOfTheSdk(name, part) ? [] : payloadsIn(part)))
}

async function historyOf(connection: Connection, workflowId: string): Promise<proto.temporal.api.history.v1.IHistoryEvent[]> {
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution: { workflowId } })
  return history!.events!
}

describe('the codec', () => {
  const payload = defaultPayloadConverter.toPayload({ sync: 'acme' })!

  it('opens what it sealed, names the key, and reads what is plain', async () => {
    const codec = payloadCodec(key, true)
    const [sealed] = await codec.encode([payload])
    expect(encodingOf(sealed!)).toBe('binary/encrypted')
    expect(Buffer.from(sealed!.data!).toString('latin1')).not.toContain('acme')
    const [opened, plain] = await payloadCodec(key, false).decode([sealed!, payload])
    expect(defaultPayloadConverter.fromPayload(opened!)).toEqual({ sync: 'acme' })
    expect(plain).toBe(payload)
    expect((await payloadCodec(key, false).encode([payload]))[0]).toBe(payload)
  })

  it('refuses another key, no key, and what was changed', async () => {
    const [sealed] = await payloadCodec(key, true).encode([payload])
    const other = payloadCodec(randomBytes(32).toString('base64'), true)
    await expect(other.decode([sealed!])).rejects.toThrow(/encrypted with the WEIR_KEY [0-9a-f]{8}; the one that is set is [0-9a-f]{8}/)
    await expect(payloadCodec(undefined, false).decode([sealed!])).rejects.toThrow(/none is set/)
    const data = Buffer.from(sealed!.data!)
    data[data.length - 1]! ^= 1
    await expect(payloadCodec(key, true).decode([{ ...sealed!, data }])).rejects.toThrow()
    expect(() => payloadCodec(undefined, true)).toThrow(/WEIR_KEY is not/)
    expect(() => encryptsPayloads({ WEIR_ENCRYPT_PAYLOADS: 'yes' })).toThrow(/true or false/)
  })
})

describe('a worker that encrypts', () => {
  let small: SmallProject
  let connection: Connection
  let worker: WorkerProcess
  const env = { WEIR_KEY: key, WEIR_ENCRYPT_PAYLOADS: 'true' }
  beforeAll(async () => {
    small = await smallProject(
      (url, apiKey) => `
version: 1
connections:
  klaviyo: { type: klaviyo, base_url: "${url}", api_key: "${apiKey}", budget: "off" }
  wrong: { type: klaviyo, base_url: "${url}", api_key: pk_wrong, budget: "off" }
syncs:
  sealed: { from: klaviyo, streams: { lists: {} } }
  refused: { from: wrong, streams: { lists: {} } }
`,
    )
    connection = await Connection.connect({ address: inject('temporalAddress') })
    worker = await startWorker({ ...small.env, ...env })
  }, 120_000)
  afterAll(async () => {
    await worker?.stop()
    await connection?.close()
    await small?.remove()
  })

  it('leaves nothing plain in a history, failures included, and commands read it', { timeout: 90_000 }, async () => {
    const good = await small.weir(['sync', 'sealed', '--json'], env)
    expect(good.code, good.stderr).toBe(0)
    const bad = await small.weir(['sync', 'refused', '--json'], env)
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain('"auth"')
    const { definition } = JSON.parse(good.stdout).runs[0]
    for (const id of ['sync/sealed', 'stream/sealed/lists', 'sync/refused', 'stream/refused/lists']) {
      const events = await historyOf(connection, id)
      const payloads = payloadsIn(events)
      expect(payloads.length, id).toBeGreaterThan(4)
      expect(new Set(payloads.map(encodingOf)), id).toEqual(new Set(['binary/encrypted']))
      const text = JSON.stringify(events)
      if (definition) expect(text).not.toContain(definition)
      expect(text).not.toMatch(/klaviyo refused|api key is/i)
    }
  })

  it('is not read with another key, which says so', async () => {
    const other = randomBytes(32).toString('base64')
    const client = new Client({ connection, dataConverter: { payloadCodecs: [payloadCodec(other, true)] } })
    await expect(client.workflow.getHandle('sync/sealed').result()).rejects.toThrow(
      /encrypted with the WEIR_KEY [0-9a-f]{8}; the one that is set/,
    )
  })
})

it('ends encrypted what began plain', { timeout: 120_000 }, async () => {
  const address = inject('temporalAddress')
  const [native, connection] = [await NativeConnection.connect({ address }), await Connection.connect({ address })]
  const taskQueue = `t-${randomUUID()}`
  const code = await bundleWorkflows({ isTraced: false, isEncrypted: true })
  let reading = () => {}
  const isReading = new Promise<void>((resolve) => {
    reading = resolve
  })
  const work = (encrypts: boolean) => ({
    ...fakeActivities({
      syncSlice: async () => {
        if (encrypts) return { ...noCounts(), read: 10, loaded: 10 }
        reading()
        throw new Error('the worker is about to be replaced')
      },
    }),
  })
  const start = (encrypts: boolean) =>
    Worker.create({
      connection: native,
      taskQueue,
      activities: work(encrypts),
      ...(encrypts ? { workflowBundle: { code } } : { workflowBundle: { codePath: inject('workflowBundle') } }),
      dataConverter: { payloadCodecs: [payloadCodec(key, encrypts)] },
      shutdownGraceTime: '1s',
    })
  const client = new Client({ connection, dataConverter: { payloadCodecs: [payloadCodec(key, false)] } })
  const sync = `turned-${randomUUID().slice(0, 8)}`
  const workflowId = `sync/${sync}`
  const before = await start(false)
  const handle = await before.runUntil(async () => {
    const started = await client.workflow.start('syncConnection', {
      taskQueue,
      workflowId,
      args: [{ sync, definition: 'none', kind: 'manual', streams: ['a'] }],
    })
    await isReading
    return started
  })
  const after = await start(true)
  expect(await after.runUntil(handle.result())).toMatchObject({ status: 'completed' })
  const encodings = payloadsIn(await historyOf(connection, workflowId)).map(encodingOf)
  expect(encodings[0]).toBe('json/plain')
  expect(encodings.at(-1)).toBe('binary/encrypted')
  await connection.close()
  await native.close()
})
