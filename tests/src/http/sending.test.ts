import { afterEach, expect, it } from 'vitest'
import { client, failureOf, good, reply, type Served, serve } from './support.js'

let server: Served
afterEach(() => server.close())

it('a text leaves as it is, and an answer without a body is one where none is expected', async () => {
  let came: { type: string | undefined; text: string } | undefined
  server = await serve((request, response) => {
    let text = ''
    request.on('data', (part: Buffer) => {
      text += part.toString()
    })
    request.on('end', () => {
      came = { type: request.headers['content-type'], text }
      response.writeHead(201).end()
    })
  })
  const { http } = client({ baseUrl: server.url })
  const put = { method: 'PUT', path: '/x', text: 'a,"b"\n', headers: { 'content-type': 'text/csv' } } as const
  expect(await http.request({ ...put, answer: 'none' })).toMatchObject({ status: 201, body: {} })
  expect(came).toEqual({ type: 'text/csv', text: 'a,"b"\n' })
})

it('what may be asked once only is not asked again where nobody knows whether it arrived', async () => {
  server = await serve(reply(503), good)
  const { http } = client({ baseUrl: server.url })
  expect(await failureOf(http.request({ method: 'POST', path: '/x', body: {}, once: true }))).toMatchObject({ reason: 'transient' })
  expect(server.seen).toHaveLength(1)
  // A refusal for the rate is no such case: nothing was done.
  server.close()
  server = await serve(reply(429, '{}'), good)
  expect(await client({ baseUrl: server.url }).http.request({ method: 'POST', path: '/x', body: {}, once: true })).toMatchObject({
    status: 200,
  })
})
