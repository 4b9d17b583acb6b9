import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import type * as own from '../../../src/http/dispatcher.js'
import { good, type Served, serve } from './support.js'

const names = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()])
let proxy: Server
let target: Served
afterEach(() => {
  vi.unstubAllEnvs()
  proxy.closeAllConnections()
  proxy.close()
  target.close()
})

/** A proxy that notes where it was asked to lead. */
async function startProxy(led: string[]): Promise<string> {
  proxy = createServer()
  proxy.on('connect', ({ url }, socket) => {
    led.push(String(url))
    const [host, port] = String(url).split(':')
    const onward = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
    onward.pipe(socket).pipe(onward)
  })
  proxy.on('request', ({ url }, response) => {
    led.push(new URL(String(url)).host)
    response.end('{"ok":true}')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

it.each([
  ['http_proxy', '', true],
  ['HTTP_PROXY', '', true],
  ['ALL_PROXY', '', true],
  ['http_proxy', '127.0.0.1', false],
  ['NOTHING', '', false],
])('requests go by the proxy that %s names, unless no_proxy (%j) leaves the host out', async (name, noProxy, isLed) => {
  const led: string[] = []
  const url = await startProxy(led)
  target = await serve(good)
  for (const one of names) vi.stubEnv(one, undefined)
  vi.stubEnv(name, url)
  vi.stubEnv('no_proxy', noProxy)
  vi.resetModules()
  const { dispatcher } = await vi.importActual<typeof own>('../../../src/http/dispatcher.js')
  const { request } = await import('undici')
  const { body } = await request(`${target.url}/x`, { dispatcher })
  expect(await body.json()).toEqual({ ok: true })
  expect(led).toEqual(isLed ? [new URL(target.url).host] : [])
  await dispatcher.destroy()
})
