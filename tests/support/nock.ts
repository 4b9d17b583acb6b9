/**
 * nock knows Node's own http alone: in tests, requests to other machines go by it, where nock stands. Those to this machine, where servers of
 * the tests are, go as they do in earnest.
 */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Dispatcher } from 'undici'
import { vi } from 'vitest'

/** nock's interceptors call it, and Node 20 has none. */
if (!('withResolvers' in Promise))
  Object.assign(Promise, {
    withResolvers() {
      let settle = {}
      const promise = new Promise((resolve, reject) => {
        settle = { resolve, reject }
      })
      return { promise, ...settle }
    },
  })

const isHere = (origin: string) => /^https?:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(origin)

vi.mock('../../src/http/dispatcher.js', async (original) => {
  const { dispatcher } = await original<typeof import('../../src/http/dispatcher.js')>()
  const dispatch: Dispatcher['dispatch'] = (options, handler) =>
    isHere(String(options.origin)) ? dispatcher.dispatch(options, handler) : byNode(options, handler)
  return { dispatcher: Object.assign(Object.create(dispatcher), { dispatch }) }
})

function byNode({ origin, path, method, headers, body }: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
  const url = new URL(path, origin)
  const told = { ...(headers as Record<string, string>), ...(body ? { 'content-length': String(Buffer.byteLength(body as string)) } : {}) }
  const asked = (url.protocol === 'https:' ? https : http).request(url, { method, headers: told })
  const failed = (error: Error) => handler.onError?.(error)
  handler.onConnect?.((error) => asked.destroy(error))
  asked.on('error', failed).on('response', (response: IncomingMessage) => {
    response.on('error', failed)
    handler.onHeaders?.(
      response.statusCode!,
      response.rawHeaders.map((part) => Buffer.from(part)),
      () => response.resume(),
      '',
    )
    response.on('data', (chunk: Buffer) => handler.onData?.(chunk) === false && response.pause())
    response.on('end', () => handler.onComplete?.([]))
  })
  asked.end(body as string | undefined)
  return true
}
