import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Failure } from '../../src/core/failure.js'
import type { Loopback } from '../../src/http/consent.js'
import { html } from '../../src/status/html.js'

/** Where apps have the redirect address registered, unless `--port` says otherwise. */
export const usualPort = 18795
const path = '/callback'
const style = 'body{font:1.1em/1.5 sans-serif;max-width:34em;margin:4em auto;padding:0 1em}'

/** What the vendor sent the browser back with, and what the person is shown then. */
export interface Returned {
  parameters: URLSearchParams
  show: (title: string, text: string) => Promise<void>
}

/** Waits on this machine for the browser to come back. */
export interface Receiver {
  /** The redirect address, as the vendor must have it. */
  redirect: string
  /** The first return that carries the state; others are turned away and do not end the wait. */
  returned: Promise<Returned>
  close: () => Promise<void>
}

/**
 * @param port without it the usual one, or any that is free where the vendor takes that
 * @throws Failure `config` where the port is taken
 */
export async function startReceiver(loopback: Loopback, state: string, port?: number): Promise<Receiver> {
  let arrive: (returned: Returned) => void = () => undefined
  const returned = new Promise<Returned>((resolve) => {
    arrive = resolve
  })
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method !== 'GET' || url.pathname !== path)
      return void answer(response, 404, 'Nothing is here', 'Only a vendor’s consent page leads here.')
    if (url.searchParams.get('state') !== state)
      return void answer(response, 400, 'Not the answer that is waited for', 'It belongs to another try: go on in the newest window.')
    arrive({ parameters: url.searchParams, show: (title, text) => answer(response, 200, title, text) })
  })
  await listen(server, port ?? (loopback.anyPort ? 0 : usualPort))
  return {
    redirect: `http://${loopback.host}:${(server.address() as AddressInfo).port}${path}`,
    returned,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The redirect address of a browser on another machine: it finds nobody there, and the person takes the address along. */
export const redirectElsewhere = ({ host }: Loopback, port = usualPort): string => `http://${host}:${port}${path}`

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new Failure(
          'config',
          `Port ${port} of this machine cannot be listened on (${(error as NodeJS.ErrnoException).code ?? error.message}). Take another with --port, and register its address with the app.`,
          {},
          { cause: error },
        ),
      ),
    )
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** Resolves when it is sent, or nobody is there any more. The page loads nothing and tells nobody where it was. */
function answer(response: ServerResponse, status: number, title: string, text: string): Promise<void> {
  if (response.destroyed) return Promise.resolve()
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    connection: 'close',
  })
  const page = html`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Weir</title><style>${{ html: style }}</style></head><body><h1>${title}</h1><p>${text}</p></body></html>\n`
  return new Promise((resolve) => {
    response.on('close', resolve)
    response.end(page.html)
  })
}
