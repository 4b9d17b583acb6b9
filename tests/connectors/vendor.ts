import nock from 'nock'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { ConnectionDefinition } from '../../src/core/definition.js'
import type { Clock, Log } from '../../src/core/ports.js'
import type { Fields, Http, Page, Rec, Resume, Slice, Stream } from '../../src/core/types.js'
import type { Connector } from '../../src/extract/connector.js'
import { createAccounts } from '../../src/http/budget.js'
import { createHttp } from '../../src/http/client.js'

/** Time that passes only when somebody waits, and passes at once. */
export function turnedClock(start = '2026-11-23T12:00:00.000Z'): Clock & { slept: number[] } {
  let now = Date.parse(start)
  const slept: number[] = []
  return {
    slept,
    now: () => new Date(now),
    sleep(ms) {
      slept.push(ms)
      now += ms
      return Promise.resolve()
    },
  }
}

const quiet = () => {}
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** A real client, with real budgets and retries, before a vendor whose answers a test writes down. */
export function connect(connector: Connector, settings: Record<string, unknown>, more: Partial<ConnectionDefinition> = {}) {
  const clock = turnedClock()
  const definition: ConnectionDefinition = { name: 'test', type: connector.type, settings, ...more }
  const http = createHttp(connector.api, definition, {
    clock,
    log,
    accounts: createAccounts(clock),
    limits: { retries: 2, retryMs: 1 },
    random: () => 0.5,
  })
  return { http, clock }
}

/** A request that no test wrote down fails, and one that was written down must come. */
export function onlyWhatIsWritten(): void {
  beforeAll(() => nock.disableNetConnect())
  afterEach(() => {
    const left = nock.pendingMocks()
    nock.cleanAll()
    expect(left).toEqual([])
  })
  afterAll(() => {
    nock.enableNetConnect()
    nock.restore()
  })
}

export interface Reading {
  pass?: string
  slice?: Omit<Slice, 'pass'>
  resume?: Resume
  reached?: string
  /** Discovered ones; the declared come by themselves. */
  fields?: Fields
}

/** The pages of one slice, as the engine asks for them. */
export async function pagesOf(http: Http, stream: Stream | undefined, reading: Reading = {}): Promise<Page[]> {
  const pages: Page[] = []
  for await (const page of read(http, stream, reading)) pages.push(page)
  return pages
}

export function read(http: Http, stream: Stream | undefined, { pass = 'main', slice = {}, resume, reached, fields }: Reading = {}) {
  const found = stream?.passes.find(({ name }) => name === pass)
  if (!stream || !found) throw new Error(`no pass ${pass}`)
  return found.read({ http, slice: { pass, ...slice }, resume, reached, fields: { ...fields, ...stream.fields } })
}

/** Records of one slice, flattened as they go to the table. */
export async function recordsOf(http: Http, stream: Stream | undefined, reading: Reading = {}): Promise<Rec[]> {
  const pages = await pagesOf(http, stream, reading)
  return pages.flatMap(({ records }) => records.map((raw) => stream!.record(raw)))
}

/** Records of every parent's slice. */
export async function recordsOfParents(http: Http, stream: Stream | undefined): Promise<Rec[]> {
  const slicing = stream?.passes[0].slicing
  if (slicing?.by !== 'parent') return recordsOf(http, stream)
  const records: Rec[] = []
  for await (const parent of slicing.parents(http)) records.push(...(await recordsOf(http, stream, { slice: { parent } })))
  return records
}

/** All that comes (Node 20 has no Array.fromAsync). */
export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of source) found.push(one)
  return found
}
