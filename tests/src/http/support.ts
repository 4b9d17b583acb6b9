import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { ConnectionDefinition } from '../../../src/core/definition.js'
import type { Failure } from '../../../src/core/failure.js'
import type { Clock } from '../../../src/core/ports.js'
import type { Api } from '../../../src/http/api.js'
import { createAccounts } from '../../../src/http/budget.js'
import { type ClientDeps, createHttp } from '../../../src/http/client.js'

/** What stands in every test's credential, and may stand nowhere else. */
export const secret = 'sk_live+canary/0123456789=='

export const api: Api = {
  name: 'Vendor',
  origin: 'https://api.vendor.example',
  versions: [{ name: '1' }],
  headers: () => ({}),
  auth: (given) =>
    given.refresh === undefined
      ? { kind: 'header', headers: { authorization: `Key ${secret}` } }
      : { kind: 'oauth', tokenUrl: '/token', clientId: 'id', clientSecret: secret, refreshToken: String(given.refresh), basic: true },
  budgets: { calls: { windows: [{ count: 1_000, perMs: 1_000 }], concurrency: 32 } },
  account: () => 'a',
  errorCode: (body) => (body as { code?: string }).code,
  errorMessage: (body) => (body as { message?: string }).message,
  failures: [],
}

/** By Node's timers, real or turned by vitest. */
export const timerClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const timer = setTimeout(resolve, ms)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason)
      })
    }),
}

/** Waits are noted, pass at once, and turn the clock. */
export function notedClock() {
  let now = Date.parse('2026-11-25T10:00:00Z')
  const slept: number[] = []
  const clock: Clock = {
    now: () => new Date(now),
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
  const turn = (ms: number) => {
    now += ms
  }
  return { clock, slept, turn }
}

const quiet = () => undefined
type Given = Partial<ClientDeps> & Pick<Partial<ConnectionDefinition>, 'baseUrl' | 'budget' | 'settings'> & { api?: Api }

export function client({ baseUrl, budget, settings = {}, api: used = api, ...deps }: Given = {}) {
  const { clock, slept, turn } = notedClock()
  const http = createHttp(
    used,
    { name: 'c', type: 'vendor', settings, ...(baseUrl ? { baseUrl } : {}), ...(budget ? { budget } : {}) },
    {
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      accounts: createAccounts(deps.clock ?? clock),
      random: () => 0.5,
      ...deps,
      limits: { retryMs: 1, retries: 2, ...deps.limits },
    },
  )
  return { http, clock, slept, turn }
}

export interface Served {
  url: string
  seen: { url: string; authorization: string | undefined }[]
  close: () => void
}

/** A server of this machine; the n-th request is answered by the n-th answer, and all further ones by the last. */
export async function serve(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]): Promise<Served> {
  const seen: Served['seen'] = []
  const listener: RequestListener = (request, response) => {
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization })
    answers[Math.min(seen.length, answers.length) - 1]!(request, response)
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close }
}

type Headers = Record<string, string | number>
export const reply =
  (status: number, body = '', headers: Headers = { 'content-type': 'application/json' }) =>
  (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, headers).end(body)
export const good = reply(200, '{"ok":true}')

export const failureOf = async (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => expect.fail('it should have failed'),
    (error: Failure) => error,
  )
