import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { ClientLimits } from '../../../src/http/client.js'
import { client, failureOf, good, reply, type Served, serve } from './support.js'

const json = { 'content-type': 'application/json' }
const page = JSON.stringify({ data: Array.from({ length: 500 }, (_, id) => ({ id, name: `name ${id}` })) })
type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Ways in which an answer does not arrive whole. Each may pass. */
const broken: Record<string, Answer> = {
  'a reset before the answer': (request) => request.socket.resetAndDestroy(),
  'an end before the answer': (request) => request.socket.destroy(),
  'a reset within the body': (request, response) => {
    response.writeHead(200, { ...json, 'content-length': page.length })
    response.write(page.slice(0, 9_000), () => request.socket.resetAndDestroy())
  },
  'a body shorter than promised': (request, response) => {
    response.writeHead(200, { ...json, 'content-length': page.length + 10 })
    response.write(page, () => request.socket.end())
  },
  'whole JSON in a body shorter than promised': (request, response) => {
    response.writeHead(200, { ...json, 'content-length': 40 })
    response.write('{"data":[]}', () => request.socket.end())
  },
  'chunks without an end': (request, response) => {
    response.writeHead(200, json)
    response.write(page.slice(0, 9_000), () => request.socket.end())
  },
  'whole JSON in chunks without an end': (request, response) => {
    response.writeHead(200, json)
    response.write('{"data":[]}', () => request.socket.end())
  },
  'JSON cut with a clean end': reply(200, page.slice(0, 9_000)),
  'JSON cut between two records': reply(200, page.slice(0, page.indexOf('},') + 1)),
  'HTML with 200': reply(200, '<html>down for maintenance</html>', { 'content-type': 'text/html' }),
  'nothing with 200': reply(200),
  'JSON that is called HTML': reply(200, '{"data":[]}', { 'content-type': 'text/html' }),
  'a text': reply(200, '"ok"'),
  null: reply(200, 'null'),
  'what is no gzip': reply(200, page, { ...json, 'content-encoding': 'gzip' }),
  'gzip with a broken middle': (_, response) => {
    const packed = gzipSync(page)
    packed.fill(0xff, 400, 500)
    response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(packed)
  },
  'gzip cut with a clean end': (_, response) => {
    response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(page).subarray(0, 900))
  },
  'what is no HTTP': (request) => request.socket.end('hello\r\n\r\n'),
}

describe('an answer that does not arrive whole', () => {
  let server: Served
  afterEach(() => server.close())

  it.each(Object.entries(broken))('is asked for again: %s', async (_, answer) => {
    server = await serve(answer, answer, good)
    const { http } = client({ baseUrl: server.url })
    expect((await http.request({ path: '/x' })).body).toEqual({ ok: true })
    expect(http.used).toMatchObject({ requests: 3, retries: 2 })
  })

  it.each(Object.entries(broken))('is a failure, never an empty page, when it stays so: %s', async (_, answer) => {
    server = await serve(answer)
    const { http } = client({ baseUrl: server.url })
    const failure = await failureOf(http.request({ path: '/x' }))
    expect(failure).toMatchObject({ name: 'Failure', reason: 'transient', isFinal: false })
    expect(http.used).toMatchObject({ requests: 3, retries: 2 })
  })

  it.each<[string, Partial<ClientLimits>, (write: () => void) => void]>([
    ['one byte after the other', { totalMs: 150 }, (write) => void setInterval(write, 10).unref()],
    ['nothing after the head', { silentMs: 100 }, (write) => write()],
    ['nothing at all', { silentMs: 100 }, () => undefined],
  ])('is given up in the stated time: %s', async (name, limits, drip) => {
    server = await serve((__, response) => {
      if (name !== 'nothing at all') response.writeHead(200, json)
      drip(() => void response.write(' '))
    })
    const { http } = client({ baseUrl: server.url, limits: { ...limits, retries: 0 } })
    const startedAt = performance.now()
    expect((await failureOf(http.request({ path: '/x' }))).reason).toBe('transient')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('is not read beyond every bound, packed or not', async () => {
    for (const answer of [reply(200, page), gzipped(' '.repeat(2_000_000))]) {
      server = await serve(answer)
      const { http } = client({ baseUrl: server.url, limits: { maxBytes: 10_000 } })
      expect(await failureOf(http.request({ path: '/x' }))).toMatchObject({ reason: 'permanent', isFinal: true })
      expect(http.used.requests).toBe(1)
      server.close()
    }
  })
})

const gzipped =
  (text: string): Answer =>
  (_, response) =>
    void response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(text))

describe('an answer that is whole', () => {
  it.each<[string, Answer, unknown]>([
    ['gzip', gzipped('{"id":9007199254740993}'), { id: 9007199254740993n }],
    [
      'a vendor’s own JSON type, in capitals',
      reply(200, '{"a":1}', { 'content-type': 'Application/Vnd.API+JSON; charset=utf-8' }),
      { a: 1 },
    ],
    ['no type', reply(200, '{"a":1}', {}), { a: 1 }],
    ['a byte order mark and white space', reply(200, '\ufeff \n{"a":1}\n'), { a: 1 }],
    ['204', reply(204), {}],
  ])('is taken: %s', async (_, answer, body) => {
    const server = await serve(answer)
    expect((await client({ baseUrl: server.url }).http.request({ path: '/x' })).body).toEqual(body)
    server.close()
  })

  it('is taken letter by letter, wherever the packets are cut', async () => {
    const server = await serve((_, response) => {
      const bytes = Buffer.from('{"name":"Zoë 🌼"}')
      response.writeHead(200, json)
      let at = 0
      const more = () => (at < bytes.length ? response.write(bytes.subarray(at, ++at), () => setImmediate(more)) : response.end())
      more()
    })
    expect((await client({ baseUrl: server.url }).http.request({ path: '/x' })).body).toEqual({ name: 'Zoë 🌼' })
    server.close()
  })
})
