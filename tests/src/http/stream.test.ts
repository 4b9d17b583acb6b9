import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { ExactNumber, type Http, type Rec } from '../../../src/core/types.js'
import type { ClientLimits } from '../../../src/http/client.js'
import { elementsOf } from '../../../src/http/elements.js'
import { api, client, failureOf, good, reply, type Served, secret, serve } from './support.js'

const json = { 'content-type': 'application/json' }
const element = (id: number) => ({ results: [{ id, name: `n"a,]m}e ${id} – é` }] })
const list = Array.from({ length: 400 }, (_, id) => element(id))
const body = JSON.stringify(list)
type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Served
afterEach(() => server?.close())

const all = async (http: Http, path = '/x'): Promise<Rec[]> => {
  const got: Rec[] = []
  for await (const one of http.stream({ path, method: 'POST', body: { query: 'q' } })) got.push(one)
  return got
}
const parts = async function* (...texts: (string | Buffer)[]) {
  for (const text of texts) yield Buffer.from(text as string)
}
const read = async (...texts: (string | Buffer)[]) => {
  const got: unknown[] = []
  for await (const one of elementsOf(parts(...texts), 1_000)) got.push(one)
  return got
}

describe('the elements of an array', () => {
  it('are whole wherever the body is cut into chunks', async () => {
    const text = Buffer.from(' [ {"a":"x\\\\","b":[1,{"c":"]}"}]} , [2] ,\n"é\\"," ,null, 1e2 ]\n')
    const want = [{ a: 'x\\', b: [1, { c: ']}' }] }, [2], 'é",', null, 100]
    for (let at = 0; at <= text.length; at++) expect(await read(text.subarray(0, at), text.subarray(at))).toEqual(want)
    expect(await read(...[...text].map((byte) => Buffer.from([byte])))).toEqual(want)
  })

  it('keep numbers exact', async () => {
    expect(await read('[{"id":9007199254740993},{"cost":0.12345678901234567890}]')).toEqual([
      { id: 9007199254740993n },
      { cost: new ExactNumber('0.12345678901234567890') },
    ])
  })

  it.each(['[]', ' [ \n ] '])('of %j are none', async (text) => expect(await read(text)).toEqual([]))

  it.each(['', '[', '[{"a":1}', '[{"a":1},', '[{"a":1},]', '[,]', '[1,,2]', '[{"a":1]', '[1}]', '{"a":1}', '[1]x', '[1][2]', '<html>'])(
    'are never taken from %j as if it were whole',
    async (text) => {
      expect(await failureOf(read(text))).toMatchObject({ name: 'Failure', reason: 'transient' })
    },
  )

  it('have a bound each', async () => {
    expect(await read(`[${Array.from({ length: 900 }, () => '"0123456789"').join()}]`)).toHaveLength(900)
    expect(await failureOf(read(`["${'x'.repeat(2_000)}"]`))).toMatchObject({ reason: 'permanent' })
  })
})

describe('a streamed answer', () => {
  it('gives each element as soon as it is whole, and counts its bytes', async () => {
    let end: () => void = () => undefined
    server = await serve((_, response) => {
      response.writeHead(200, json)
      response.write(body.slice(0, 20_000))
      end = () => void response.end(body.slice(20_000))
    })
    const { http } = client({ baseUrl: server.url })
    const got: Rec[] = []
    for await (const one of http.stream({ path: '/x' })) {
      got.push(one)
      // The rest is not sent before something was given.
      if (got.length === 1) end()
    }
    expect(got).toEqual(list)
    expect(http.used).toMatchObject({ requests: 1, retries: 0, bytes: Buffer.byteLength(body) })
  })

  it('may be packed', async () => {
    server = await serve((_, response) => void response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(body)))
    expect(await all(client({ baseUrl: server.url }).http)).toEqual(list)
  })

  const broken: Record<string, Answer> = {
    'a reset': (request, response) => {
      response.writeHead(200, { ...json, 'content-length': body.length * 2 })
      response.write(body.slice(0, 9_000), () => request.socket.resetAndDestroy())
    },
    'an end before the end': (request, response) => {
      response.writeHead(200, json)
      response.write(body.slice(0, 9_000), () => request.socket.end())
    },
    'a clean end within the array': reply(200, body.slice(0, 9_000)),
    'a clean end between two elements': reply(200, body.slice(0, body.lastIndexOf(']},') + 2)),
    'gzip cut with a clean end': (_, response) =>
      void response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(body).subarray(0, 2_000)),
    'a whole array without the end of its chunks': (request, response) => {
      response.writeHead(200, json)
      response.write(body, () => request.socket.end())
    },
  }

  it.each(Object.entries(broken))('never ends green after %s, and is not repeated once something was given', async (_, answer) => {
    server = await serve(answer, good)
    const { http } = client({ baseUrl: server.url })
    const got: Rec[] = []
    const reading = async () => {
      for await (const one of http.stream({ path: '/x' })) got.push(one)
    }
    expect(await failureOf(reading())).toMatchObject({ name: 'Failure', reason: 'transient', isFinal: false })
    expect(got).toEqual(list.slice(0, got.length))
    expect(got.length).toBeGreaterThan(0)
    expect(http.used.requests).toBe(1)
  })

  const unusable: Record<string, Answer> = {
    'a reset before the answer': (request) => request.socket.resetAndDestroy(),
    'a cut first element': reply(200, body.slice(0, 15)),
    'a server error': reply(503, '{"message":"down"}'),
    HTML: reply(200, '<html></html>', { 'content-type': 'text/html' }),
    'an array that is called HTML': reply(200, body, { 'content-type': 'text/html' }),
    nothing: reply(200),
    'no content': reply(204),
    'an object': reply(200, '{"results":[]}'),
  }
  it.each(Object.entries(unusable))('is asked for again after %s', async (_, answer) => {
    server = await serve(answer, reply(200, body))
    const { http } = client({ baseUrl: server.url })
    expect(await all(http)).toEqual(list)
    expect(http.used).toMatchObject({ requests: 2, retries: 1 })
  })

  it('is refused as any other is, with what the vendor said', async () => {
    server = await serve(reply(403, '{"code":"no","message":"Not you."}'))
    const { http } = client({ baseUrl: server.url })
    expect(await failureOf(all(http))).toMatchObject({ reason: 'permission', message: expect.stringContaining('Not you.') })
  })

  it('waits as it is told, goes along at home, and nowhere else', async () => {
    server = await serve(reply(429, '{}', { 'retry-after': '7' }), reply(307, '', { location: '/y' }), reply(200, '[{"a":1}]'))
    const { http, slept } = client({ baseUrl: server.url })
    expect(await all(http)).toEqual([{ a: 1 }])
    expect(slept).toEqual([7_000])
    expect(server.seen.map(({ url }) => url)).toEqual(['/x', '/x', '/y'])
    expect(await failureOf(all(http, 'https://evil.example/x'))).toMatchObject({ reason: 'config' })
  })

  it('renews a token that has expired', async () => {
    let given = 0
    server = await serve(({ url, headers }, response) => {
      const isToken = url === '/token'
      const isGood = isToken || headers.authorization === 'Bearer access-2'
      const said = isToken ? `{"access_token":"access-${++given}","expires_in":1000}` : isGood ? '[{"a":1}]' : '{}'
      response.writeHead(isGood ? 200 : 401, json).end(said)
    })
    expect(await all(client({ baseUrl: server.url, settings: { refresh: 'first' } }).http)).toEqual([{ a: 1 }])
    expect(server.seen.map(({ url }) => url)).toEqual(['/token', '/x', '/token', '/x'])
  })

  it('says nothing of the credential that a vendor quotes', async () => {
    server = await serve(reply(400, JSON.stringify({ code: 'no', message: `bad key ${secret}` })))
    expect((await failureOf(all(client({ baseUrl: server.url }).http))).message).not.toContain(secret.slice(0, 12))
  })

  it.each<[string, Partial<ClientLimits>, (write: () => void) => void]>([
    ['one byte after the other', { totalMs: 150 }, (write) => void setInterval(write, 10).unref()],
    ['nothing after the head', { silentMs: 100 }, (write) => write()],
    ['nothing at all', { silentMs: 100 }, () => undefined],
  ])('is given up in the stated time: %s', async (name, limits, drip) => {
    server = await serve((_, response) => {
      if (name !== 'nothing at all') response.writeHead(200, json)
      drip(() => void response.write(' '))
    })
    const { http } = client({ baseUrl: server.url, limits: { ...limits, retries: 0 } })
    expect(await failureOf(all(http))).toMatchObject({ reason: 'transient' })
  })

  it('is no time-out’s matter while its reader does other things', async () => {
    // More than sockets hold, so that the rest of it waits for the reader.
    const large = Array.from({ length: 100_000 }, (_, id) => element(id))
    server = await serve(reply(200, JSON.stringify(large)))
    const { http } = client({ baseUrl: server.url, limits: { silentMs: 1_000, totalMs: 1_500, retries: 0 } })
    let got = 0
    for await (const _ of http.stream({ path: '/x' })) if (got++ === 0) await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(got).toBe(large.length)
  })

  it.each(['left', 'read', 'broken', 'refused'])('gives its permit back when it is %s, and holds it until then', async (how) => {
    const one = { ...api, budgets: { calls: { windows: [], concurrency: 1 } } }
    const first = { left: reply(200, body), read: reply(200, body), broken: reply(200, body.slice(0, 9_000)), refused: reply(400, '{}') }
    server = await serve(first[how as keyof typeof first], good)
    const { http } = client({ baseUrl: server.url, api: one })
    const reading = (async () => {
      let asked: Promise<unknown> | undefined
      for await (const _ of http.stream({ path: '/x' })) {
        asked ??= http.request({ path: '/y' })
        expect(server.seen).toHaveLength(1)
        if (how === 'left') break
      }
      await asked
    })()
    await reading.catch((error: { name: string }) => expect(error.name).toBe('Failure'))
    expect((await http.request({ path: '/z' })).body).toEqual({ ok: true })
  })

  it('stops at once when it is told to', async () => {
    server = await serve((_, response) => void response.writeHead(200, json).write('[{"a":1},'))
    const abort = new AbortController()
    const reading = async () => {
      for await (const _ of client({ baseUrl: server.url, signal: abort.signal }).http.stream({ path: '/x' }))
        abort.abort(new Error('stop'))
    }
    await expect(reading()).rejects.toThrow('stop')
  })
})

describe('an answer of text', () => {
  const text = async (...answers: Answer[]) => {
    server = await serve(...answers)
    const { http } = client({ baseUrl: server.url })
    return { answer: await http.request({ path: '/x', answer: 'text' }), used: http.used }
  }
  const csv = '"Id","Name"\n"1","Größe, é"\n'

  it('is given as it came, with its headers', async () => {
    const { answer } = await text(reply(200, csv, { 'content-type': 'text/csv', 'sforce-locator': 'x' }))
    expect(answer).toMatchObject({ status: 200, body: { text: csv }, headers: { 'sforce-locator': 'x' }, bytes: Buffer.byteLength(csv) })
  })

  it('may begin as JSON does, and may be nothing where the vendor says so', async () => {
    expect((await text(reply(200, '[x', {}))).answer.body).toEqual({ text: '[x' })
    server.close()
    expect((await text(reply(204))).answer.body).toEqual({ text: '' })
  })

  it.each<[string, Answer]>([
    ['nothing', reply(200, '', { 'content-type': 'text/csv' })],
    ['HTML', reply(200, csv, { 'content-type': 'text/html; charset=utf-8' })],
    ['a page that is called CSV', reply(200, '\n<!DOCTYPE html><html>', { 'content-type': 'text/csv' })],
  ])('is asked for again after %s', async (_, answer) => {
    const { answer: got, used } = await text(answer, reply(200, csv, { 'content-type': 'text/csv' }))
    expect(got.body).toEqual({ text: csv })
    expect(used).toMatchObject({ requests: 2, retries: 1 })
  })

  it('is JSON where it is refused', async () => {
    server = await serve(reply(403, '{"code":"no","message":"Not you."}'))
    const failure = await failureOf(client({ baseUrl: server.url }).http.request({ path: '/x', answer: 'text' }))
    expect(failure).toMatchObject({ reason: 'permission', where: { code: 'no' } })
  })
})
