import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Keys, Opened } from '../../sandbox/stand-in.js'
import type { Failure } from '../../src/core/failure.js'
import type { Fields, Http, Page, Pass, Rec, Resume, Slice, Stream } from '../../src/core/types.js'
import type { Connector } from '../../src/extract/connector.js'
import { fieldsOf, monthAgo, now, type Opening, openAt, slicesOf } from './reading.js'

/**
 * One suite over every connector: what the engine may rely on, whatever the vendor. Driven against the sandbox, whose list of stand-ins
 * says how a connection comes in: a new connector adds no line here.
 */
const handles = (type: string) => sandbox[type as keyof Sandbox['truth']] as { connection: Keys } & Opened

let sandbox: Sandbox
/** A host that nobody should ever call. */
let stranger: Server
const strayed: string[] = []
let strangeOrigin: string
const connectors = new Map<string, Connector>()

beforeAll(async () => {
  sandbox = await startSandbox({ people: 350, activitiesPerPerson: 4, now, limits: 'off', adsSince: new Date('2026-11-14') })
  stranger = createServer((request, response) => {
    strayed.push(request.url ?? '')
    response.end('{}')
  })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  strangeOrigin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
  for (const [type, load] of Object.entries(registry)) connectors.set(type, await load())
})
afterEach(() => sandbox.faults.clear())
afterAll(async () => {
  await sandbox.stop()
  stranger.close()
})

const settingsOf = (type: string, way: 'fixed' | 'oauth' = 'oauth') => {
  const { connection, byOAuth } = handles(type)
  return way === 'oauth' && byOAuth ? byOAuth(sandbox.url) : connection
}

interface ComingIn extends Opening {
  way?: 'fixed' | 'oauth'
}

const open = (type: string, { way = 'fixed', ...opening }: ComingIn = {}): Http =>
  openAt(sandbox.url, connectors.get(type)!, settingsOf(type, way), opening)

const keyOf = ({ key }: Stream, record: Rec) => JSON.stringify(key.map((field) => record[field]))

async function pagesOf(pass: Pass, http: Http, fields: Fields, slice: Slice, from: { resume?: Resume | undefined; reached?: string } = {}) {
  const pages: Page[] = []
  for await (const page of pass.read({ http, slice, fields, ...from })) pages.push(page)
  return pages
}

const recordsOf = (stream: Stream, pages: readonly Page[]) => pages.flatMap(({ records }) => records.map((raw) => stream.record(raw)))
/** The last version of each record, as a table would hold it. */
const table = (stream: Stream, pages: readonly Page[]) =>
  Object.fromEntries(
    recordsOf(stream, pages)
      .map((record) => [keyOf(stream, record), JSON.stringify(record)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** What calm readings gave, a pass's slices each for itself. */
interface Calm {
  slice: Slice
  expected: Record<string, string>
}
const calm = new Map<string, Promise<Calm[]>>()
function readCalmly(type: string, name: string) {
  const known = calm.get(`${type} ${name}`)
  if (known) return known
  const read = async () => {
    const stream = streamOf(type, name)
    const http = open(type)
    const fields = await fieldsOf(stream, http)
    const read: Calm[] = []
    for (const slice of await slicesOf(stream.passes[0], http))
      read.push({ slice, expected: table(stream, await pagesOf(stream.passes[0], http, fields, slice)) })
    return read
  }
  const begun = read()
  calm.set(`${type} ${name}`, begun)
  return begun
}

/** Reads a slice as the engine does: what came is kept, and what may pass is tried again from there. */
async function drive(stream: Stream, http: Http, fields: Fields, slice: Slice): Promise<Record<string, string>> {
  const kept: Page[] = []
  for (let tries = 0; ; tries++) {
    try {
      const from = kept.at(-1)?.resume
      for await (const page of stream.passes[0].read({ http, slice, fields, ...(from ? { resume: from } : {}) })) kept.push(page)
      return table(stream, kept)
    } catch (error) {
      if ((error as Failure).reason !== 'transient' || tries === 3) throw error
    }
  }
}

/** Reads every slice of the first pass while something is wrong. */
async function readUnder(type: string, name: string, upset: () => void, opening: ComingIn = {}) {
  const stream = streamOf(type, name)
  const fields = await fieldsOf(stream, open(type))
  for (const { slice, expected } of await readCalmly(type, name)) {
    sandbox.faults.clear()
    upset()
    expect(await drive(stream, open(type, opening), fields, slice)).toEqual(expected)
  }
}

/** Names in a record at any depth. */
const namesIn = (value: unknown): string[] =>
  value !== null && typeof value === 'object'
    ? Object.entries(value).flatMap(([name, part]) => [...(Array.isArray(value) ? [] : [name]), ...namesIn(part)])
    : []

/** A name of the vendor's that no key or cursor is made of: where it is renamed, records lose a value and stay the same ones. */
function looseName(stream: Stream, raw: readonly Rec[]): string | undefined {
  const anchors = (records: readonly Rec[]) =>
    records.map(stream.record).map((record) => [keyOf(stream, record), stream.cursor && record[stream.cursor.field]])
  const [shown, whole] = [JSON.stringify(raw), JSON.stringify(anchors(raw))]
  return [...new Set(namesIn(raw[0]))].find((name) => {
    const renamed = JSON.parse(shown.replaceAll(`"${name}":`, `"${name}_now":`)) as Rec[]
    try {
      return (
        JSON.stringify(anchors(renamed)) === whole && JSON.stringify(renamed.map(stream.record)) !== JSON.stringify(raw.map(stream.record))
      )
    } catch {
      return false
    }
  })
}

async function givesTokens(type: string): Promise<boolean> {
  const auth = connectors.get(type)!.api.auth(settingsOf(type))
  return auth.kind === 'oauth' && (await fetch(new URL(auth.tokenUrl, sandbox.url), { method: 'POST' })).status !== 404
}

const streamOf = (type: string, name: string) => connectors.get(type)!.source.streams[name]!

/** The whole suite over one vendor: a file of its own for each, so that they run side by side. */
export async function conformance(only: string): Promise<void> {
  const { source: chosen } = await registry[only]!()
  const known = [{ type: only, source: chosen }]
  const streams = Object.keys(chosen.streams).map((name) => ({ type: only, name }))

  describe.each(streams)('$type $name', ({ type, name }) => {
    it('shows every record once, with its whole key, in every slice', async () => {
      const stream = streamOf(type, name)
      const http = open(type)
      const fields = await fieldsOf(stream, http)
      let total = 0
      for (const pass of stream.passes) {
        for (const slice of await slicesOf(pass, http)) {
          const records = recordsOf(stream, await pagesOf(pass, http, fields, slice))
          total += records.length
          const keys = records.map((record) => keyOf(stream, record))
          expect(new Set(keys).size).toBe(keys.length)
          expect(keys.filter((key) => /null|""/.test(key))).toEqual([])
        }
      }
      expect(total).toBeGreaterThan(0)
    })

    it('shows all that the vendor has', async ({ skip }) => {
      const truth = (sandbox.truth as unknown as Record<string, Record<string, (() => unknown[]) | undefined>>)[type]?.[name]
      skip(truth === undefined, 'the sandbox does not tell')
      const stream = streamOf(type, name)
      const http = open(type)
      const fields = await fieldsOf(stream, http)
      const keys = new Set<string>()
      for (const pass of stream.passes)
        for (const slice of await slicesOf(pass, http, Number.POSITIVE_INFINITY))
          for (const record of recordsOf(stream, await pagesOf(pass, http, fields, slice))) keys.add(keyOf(stream, record))
      // Reports are read for a month here.
      const { slicing } = stream.passes[0]
      const range = slicing.by === 'time' && slicing.wholeDays ? stream.bounds?.range : undefined
      const isAsked = (raw: unknown) => !range || String(stream.record(raw as Rec)[range]) >= monthAgo.slice(0, 10)
      expect(keys.size).toBe(truth!().filter(isAsked).length)
    })

    it('declares the fields that it shows, key, cursor and deletion among them', async () => {
      const stream = streamOf(type, name)
      const http = open(type)
      const fields = await fieldsOf(stream, http)
      const slice = (await slicesOf(stream.passes[0], http))[0]!
      const shown = new Set(recordsOf(stream, await pagesOf(stream.passes[0], http, fields, slice)).flatMap(Object.keys))
      // A vendor may add fields, and they become columns; what only wraps others is never one.
      expect([...shown].filter((field) => ['attributes', 'relationships', 'links', 'associations'].includes(field))).toEqual([])
      expect([...shown].filter((field) => !(field in fields)).length).toBeLessThanOrEqual(shown.size / 5)
      for (const field of [...stream.key, ...(stream.cursor ? [stream.cursor.field] : []), ...(stream.deletedAt ? [stream.deletedAt] : [])])
        expect(Object.keys(fields)).toContain(field)
      expect(stream.modes).toContain(stream.mode)
    })

    it('goes on from every page with exactly what follows', async () => {
      const stream = streamOf(type, name)
      const http = open(type)
      const fields = await fieldsOf(stream, http)
      for (const pass of stream.passes) {
        for (const slice of await slicesOf(pass, http)) {
          const pages = await pagesOf(pass, http, fields, slice)
          expect(pages.at(-1)?.resume).toBeUndefined()
          // A record may be made of parts of what came: once.
          const records = pages.map((page) => recordsOf(stream, [page]))
          const step = Math.ceil(pages.length / 12)
          for (let i = 0; i < pages.length - 1; i += step) {
            const resume = JSON.parse(JSON.stringify(pages[i]!.resume)) as Resume
            const rest = await pagesOf(pass, http, fields, slice, { resume })
            expect(recordsOf(stream, rest)).toEqual(records.slice(i + 1).flat())
          }
        }
      }
    })

    it('reads the same a second time', async () => {
      const stream = streamOf(type, name)
      const http = open(type)
      const fields = await fieldsOf(stream, http)
      for (const pass of stream.passes)
        for (const slice of await slicesOf(pass, http))
          expect(recordsOf(stream, await pagesOf(pass, http, fields, slice))).toEqual(
            recordsOf(stream, await pagesOf(pass, http, fields, slice)),
          )
    })

    it('never goes back in its cursor where it says that pages come in order', async () => {
      const stream = streamOf(type, name)
      if (!stream.cursor?.ordered) return
      const http = open(type)
      const fields = await fieldsOf(stream, http)
      const pass = stream.passes[0]
      const slice = (await slicesOf(pass, http)).at(-1)!
      const values = recordsOf(stream, await pagesOf(pass, http, fields, slice)).map((record) =>
        Date.parse(String(record[stream.cursor!.field])),
      )
      expect(values).toEqual([...values].sort((a, b) => a - b))
      expect(values.length).toBeGreaterThan(0)
    })

    const passing = [
      ['429 that says 0 seconds', { kind: 'throttled', retryAfter: 0 }, 3],
      ['429 that says rubbish', { kind: 'throttled', retryAfter: 'soon' }, 1],
      ['a burst of 500', { kind: 'status', status: 500 }, 4],
      ['503 as HTML', { kind: 'status', status: 503, body: 'html' }, 2],
      ['403 as HTML of the edge', { kind: 'status', status: 403, body: 'html' }, 1],
      ['a connection reset before the answer', { kind: 'reset', when: 'before' }, 2],
      ['a connection reset within the answer', { kind: 'reset', when: 'during' }, 2],
      ['a body cut with a clean end', { kind: 'cut', how: 'clean' }, 2],
      ['a body shorter than promised', { kind: 'cut', how: 'length' }, 1],
      ['a chunked body that is not finished', { kind: 'cut', how: 'chunk' }, 1],
      ['HTML with 200', { kind: 'html' }, 2],
      ['nothing with 200', { kind: 'empty' }, 2],
      ['broken gzip', { kind: 'broken-gzip' }, 1],
      ['JSON under another content type', { kind: 'content-type', type: 'text/html' }, 1],
      ['a page given twice', { kind: 'page', what: 'duplicate' }, 1],
      ['an empty page that leads on', { kind: 'page', what: 'empty' }, 1],
      ['a short page that leads on', { kind: 'page', what: 'short' }, 2],
      ['a page out of order', { kind: 'page', what: 'shuffled' }, 2],
    ] as const

    it.each(passing)('survives %s', async (_, fault, count) => {
      await readUnder(type, name, () => {
        sandbox.faults.add({ vendor: type, fault, count })
        sandbox.faults.add({ vendor: type, fault, count, skip: count + 1 })
      })
    })

    it('survives page tokens that expire', async () => {
      // Where it strikes a first request, it is no token that has expired.
      await readUnder(type, name, () => sandbox.faults.add({ vendor: type, fault: { kind: 'expired-cursor' }, skip: 1 })).catch(
        (error: Failure) => expect(error.where?.status ?? error).toBe(400),
      )
    })

    it('sends nothing to a host that a page or a redirect points to', async () => {
      const next = { vendor: type, fault: { kind: 'next-host', origin: strangeOrigin }, count: null } as const
      await readUnder(type, name, () => sandbox.faults.add(next)).catch((error: Failure) => expect(error.reason ?? error).toBe('config'))
      const moved = { vendor: type, fault: { kind: 'redirect', origin: strangeOrigin }, count: null } as const
      await expect(readUnder(type, name, () => sandbox.faults.add(moved))).rejects.toMatchObject({ reason: 'config' })
      expect(strayed).toEqual([])
    })

    it('reads on where a field gets another name and a new one appears in the middle', async ({ skip }) => {
      const stream = streamOf(type, name)
      const fields = await fieldsOf(stream, open(type))
      const [{ slice, expected }] = (await readCalmly(type, name)) as [Calm]
      const raw = (await pagesOf(stream.passes[0], open(type), fields, slice)).flatMap(({ records }) => records)
      const loose = looseName(stream, JSON.parse(JSON.stringify(raw)) as Rec[])
      skip(loose === undefined, 'all that it shows is key or cursor')
      const put = `"${loose}_now":`
      sandbox.faults.add({
        vendor: type,
        fault: { kind: 'rewrite', find: `"${loose}":`, put: `"drifted":"new",${put}` },
        count: null,
        skip: 1,
      })
      expect(Object.keys(await drive(stream, open(type), fields, slice))).toEqual(Object.keys(expected))
    })

    it('cancelled in the middle asks for nothing more, and killed there is gone on with by another process', async () => {
      const stream = streamOf(type, name)
      const fields = await fieldsOf(stream, open(type))
      const [{ slice, expected }] = (await readCalmly(type, name)) as [Calm]
      const abort = new AbortController()
      const kept: Page[] = []
      const cancelled = async () => {
        for await (const page of stream.passes[0].read({ http: open(type, { signal: abort.signal }), slice, fields })) {
          kept.push(page)
          if (page.resume === undefined) return
          abort.abort(new Error('told to stop'))
        }
      }
      const stopped = await cancelled().catch((error: Error) => error.message)
      // What is read ahead of the page in hand may be there already: never more than that.
      expect(kept.length).toBeLessThanOrEqual(2)
      if (kept.at(-1)?.resume !== undefined) expect(stopped).toBe('told to stop')
      // An attempt that is killed leaves its place and nothing else: no iterator is closed, no client lives on.
      const steps = stream.passes[0].read({ http: open(type), slice, fields })[Symbol.asyncIterator]()
      const first = (await steps.next()).value as Page
      const resume = first.resume && (JSON.parse(JSON.stringify(first.resume)) as Resume)
      const rest = resume ? await pagesOf(stream.passes[0], open(type), fields, slice, { resume }) : []
      expect(table(stream, [first, ...rest])).toEqual(expected)
    })

    it('renews an expired token once, and goes on', async ({ skip }) => {
      skip(!(await givesTokens(type)), 'the sandbox has no token endpoint for this vendor')
      const upset = () => sandbox.faults.add({ vendor: type, fault: { kind: 'expired-token' } })
      await readUnder(type, name, upset, { way: 'oauth' })
    })
  })

  describe.each(known)('$type', ({ type, source }) => {
    it('checks what it may read, and fails clearly with a wrong key', async () => {
      const findings = []
      for await (const finding of source.check(open(type))) findings.push(finding)
      expect(findings.length).toBeGreaterThan(1)
      expect(findings.filter(({ ok }) => !ok)).toEqual([])
      sandbox.faults.add({ vendor: type, fault: { kind: 'expired-token' }, count: null })
      const failed = source.check(open(type))[Symbol.asyncIterator]().next()
      await expect(failed).rejects.toMatchObject({ reason: 'auth' })
    })

    it('needs no network to say its streams, keys and modes', () => {
      for (const [name, stream] of Object.entries(source.streams)) {
        expect(stream.name).toBe(name)
        expect(stream.key.length).toBeGreaterThan(0)
        expect(stream.description).not.toBe('')
      }
    })

    it('reads the same in every version of the API', async () => {
      for (const stream of Object.values(source.streams)) {
        const expected = (await readCalmly(type, stream.name))[0]!.expected
        for (const apiVersion of connectors.get(type)!.apiVersions) {
          const http = open(type, { apiVersion })
          const slice = (await slicesOf(stream.passes[0], http))[0]!
          expect(await drive(stream, http, await fieldsOf(stream, http), slice)).toEqual(expected)
        }
      }
    })

    it('gives up on a vendor that says nothing, and stops when it is told to', async () => {
      const stream = Object.values(source.streams)[0]!
      const slice = { pass: stream.passes[0].name, to: now.toISOString() }
      sandbox.faults.add({ vendor: type, fault: { kind: 'hang' }, count: null })
      const silent = open(type, { limits: { silentMs: 50, retries: 1 } })
      await expect(pagesOf(stream.passes[0], silent, stream.fields, slice)).rejects.toMatchObject({ reason: 'transient' })
      const abort = new AbortController()
      const reading = pagesOf(stream.passes[0], open(type, { signal: abort.signal }), stream.fields, slice)
      setTimeout(() => abort.abort(new Error('told to stop')), 30)
      await expect(reading).rejects.toThrow('told to stop')
    })
  })
}
