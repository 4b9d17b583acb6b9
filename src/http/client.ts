import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import axios, { AxiosError, type AxiosResponse } from 'axios'
import pRetry from 'p-retry'
import type { ConnectionDefinition } from '../core/definition.js'
import { asFailure, Failure } from '../core/failure.js'
import type { Clock, Log, TokenStore } from '../core/ports.js'
import type { Http, HttpRequest, HttpResponse, Rec } from '../core/types.js'
import type { Api } from './api.js'
import { createAuthorizer } from './auth.js'
import { type Accounts, longestWaitMs, type Spender, unlimited } from './budget.js'
import { type Answer, classify, retryAfterMs } from './classify.js'
import { parseJson } from './json.js'

export interface ClientDeps {
  clock: Clock
  log: Log
  accounts: Accounts
  tokens?: TokenStore
  signal?: AbortSignal
  /** Time-outs and retries; defaults suit production. */
  limits?: Partial<ClientLimits>
}

export interface ClientLimits {
  /** One request, from its start to the last byte of its answer. */
  totalMs: number
  /** A socket silent for so long is dead. */
  silentMs: number
  /** Largest body that is read. */
  maxBytes: number
  /** Tries after the first for what may pass; refusals for the rate are not counted. */
  retries: number
  /** First wait between tries; doubles, with jitter. */
  retryMs: number
}

const defaults: ClientLimits = { totalMs: 120_000, silentMs: 60_000, maxBytes: 256 * 1024 * 1024, retries: 6, retryMs: 500 }
const maxRedirects = 3

// Sockets are kept for the whole process: a new one a page would cost as much as the page.
const agents = {
  httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 64 }),
  httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: 64 }),
}
// We parse, judge statuses and follow redirects ourselves, so axios does as little as it can.
const wire = axios.create({
  ...agents,
  responseType: 'arraybuffer',
  maxRedirects: 0,
  validateStatus: () => true,
  transformResponse: [],
  transitional: { clarifyTimeoutError: true },
})

/**
 * A client for one connection. Every request passes by the account's breaker and budget, carries the credential to the
 * configured origin and nowhere else, and is repeated while its failure may pass. Failures are classified once, here.
 * @param connection with resolved settings
 */
export function createHttp(api: Api, connection: ConnectionDefinition, deps: ClientDeps): Http {
  const { clock, signal } = deps
  const limits = { ...defaults, ...deps.limits }
  const origin = new URL(connection.baseUrl ?? api.origin)
  const version = connection.apiVersion ?? api.version.name
  const account = deps.accounts(api.name, `${origin.origin}\n${api.account(connection.settings)}`)
  const used = { requests: 0, bytes: 0, retries: 0, waitedMs: 0 }
  const fixed = { accept: 'application/json', 'user-agent': 'weir', ...api.headers(version) }
  const authorizer = createAuthorizer(atOrigin(api.auth(connection.settings), api, origin), connection.name, deps.tokens, clock, sendForm)

  const spenderOf = (name: string | undefined, method: string, path: string): Spender => {
    if (connection.budget === 'off') return unlimited
    const chosen = name ?? Object.keys(api.budgets)[0]!
    const declared = api.budgets[chosen]
    if (!declared) throw new Failure('bug', `${api.name} has no budget "${chosen}".`)
    const set = connection.budget ?? {}
    const windows = [
      ...(set.requests ? [set.requests] : declared.windows),
      ...(set.perDay ? [{ count: set.perDay, perMs: 86_400_000 }] : []),
    ]
    const counted = api.endpoint ? `${chosen} ${api.endpoint(method, path)}` : chosen
    return account.spender(counted, { windows, concurrency: set.concurrency ?? declared.concurrency })
  }

  async function sendForm(url: string, form: Record<string, string>, headers: Record<string, string>) {
    const { status, data } = await send(
      new URL(url),
      'POST',
      { ...headers, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      new URLSearchParams(form).toString(),
    )
    const text = data.toString('utf8')
    return { status, body: text.startsWith('{') ? parseJson(text) : undefined }
  }

  async function send(url: URL, method: string, headers: Record<string, string>, body?: string): Promise<AxiosResponse<Buffer>> {
    const abort = new AbortController()
    const onAbort = () => abort.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(
      () => abort.abort(new Failure('transient', `${api.name} gave no whole answer in ${limits.totalMs / 1000} s.`)),
      limits.totalMs,
    )
    try {
      signal?.throwIfAborted()
      const response = await wire.request<Buffer>({
        url: url.href,
        method,
        headers,
        data: body,
        signal: abort.signal,
        timeout: limits.silentMs,
        maxContentLength: limits.maxBytes,
      })
      used.requests++
      used.bytes += response.data.length
      return response
    } catch (error) {
      signal?.throwIfAborted()
      if (abort.signal.aborted) throw abort.signal.reason
      used.requests++
      throw lostConnection(api, error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** One try: permit, credential, answer; the answer judged. */
  async function attempt(request: HttpRequest, url: URL): Promise<HttpResponse> {
    account.breaker.check()
    const method = request.method ?? 'GET'
    const body = request.body === undefined ? undefined : JSON.stringify(request.body)
    const spender = spenderOf(request.budget, method, url.pathname)
    const asked = `${method} ${url.pathname}`
    let target = url
    for (let redirects = 0, renewals = 0; ; ) {
      const headers = {
        ...fixed,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
        ...(await authorizer.headers()),
      }
      const response = await spender.spend(
        () => send(target, method, headers, body),
        (ms) => {
          used.waitedMs += ms
        },
        signal,
      )
      const answer = readAnswer(response)
      if (answer.status >= 300 && answer.status < 400 && answer.headers.location) {
        target = sameOrigin(new URL(answer.headers.location, target).href, origin, api)
        if (++redirects > maxRedirects) throw new Failure('transient', `${api.name} redirected ${asked} more than ${maxRedirects} times.`)
        continue
      }
      if (answer.status === 401 && renewals++ === 0 && (await authorizer.renew())) continue
      return judged(asked, answer, response, spender)
    }
  }

  function judged(asked: string, answer: Answer, response: AxiosResponse<Buffer>, spender: Spender): HttpResponse {
    const { status, headers, body } = answer
    if (status >= 200 && status < 300) {
      if (body === undefined && status !== 204 && status !== 202) throw noJson(api, asked, answer, response.data.length)
      account.breaker.good()
      const learned = api.learn?.(headers)
      if (learned) spender.pause(learned.pauseMs)
      return { status, headers, body: (body ?? {}) as Rec, bytes: response.data.length }
    }
    const failure = classify(api, asked, answer)
    if (failure.reason !== 'transient') account.breaker.good()
    if (failure.reason !== 'throttled') throw failure
    const told = api.retryAfterMs?.(body, headers) ?? retryAfterMs(headers['retry-after'], clock.now())
    if (told === undefined) throw failure
    spender.pause(told)
    if (told <= longestWaitMs) throw failure
    throw new Failure('throttled', failure.message, { ...failure.where, waitUntil: new Date(clock.now().getTime() + told).toISOString() })
  }

  return {
    settings: { ...connection.settings, apiVersion: version },
    used,
    async request(request) {
      const url = urlOf(request, origin, api)
      return pRetry(() => attempt(request, url), {
        retries: limits.retries,
        minTimeout: limits.retryMs,
        maxTimeout: 20_000,
        randomize: true,
        ...(signal ? { signal } : {}),
        shouldRetry: ({ error }) => isWorthRepeating(error),
        // Being told to wait is no failure of the vendor's: only what is broken uses up tries.
        shouldConsumeRetry: ({ error }) => asFailure(error).reason !== 'throttled',
        onFailedAttempt: ({ error }) => {
          if (signal?.aborted) return
          const { reason, message } = asFailure(error)
          if (reason === 'transient') account.breaker.bad()
          if (!isWorthRepeating(error)) return
          used.retries++
          deps.log.debug(message, { reason })
        },
      })
    },
  }
}

const isWorthRepeating = (error: unknown): boolean =>
  error instanceof Failure && (error.reason === 'transient' || (error.reason === 'throttled' && error.where.waitUntil === undefined))

function urlOf({ path, query }: HttpRequest, origin: URL, api: Api): URL {
  const isWhole = /^https?:\/\//i.test(path)
  const url = isWhole ? sameOrigin(path, origin, api) : new URL(origin.pathname.replace(/\/$/, '') + path, origin)
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) url.searchParams.append(name, String(value))
  return url
}

/** Credentials go to the configured origin only; a link or redirect elsewhere is an error, whoever sent it. */
function sameOrigin(href: string, origin: URL, api: Api): URL {
  const url = new URL(href)
  if (url.origin === origin.origin) return url
  throw new Failure(
    'config',
    `${api.name} pointed to ${url.origin}, but credentials go to ${origin.origin} only. If the vendor moved, set base_url.`,
  )
}

/** The token endpoint lies at the connection's own origin too, so that a base_url moves both. */
function atOrigin(auth: ReturnType<Api['auth']>, api: Api, origin: URL): ReturnType<Api['auth']> {
  if (auth.kind !== 'oauth') return auth
  const url = new URL(auth.tokenUrl, api.origin)
  return url.origin === new URL(api.origin).origin ? { ...auth, tokenUrl: new URL(url.pathname, origin).href } : auth
}

function readAnswer({ status, headers, data }: AxiosResponse<Buffer>): Answer {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && value !== null) flat[name.toLowerCase()] = String(value)
  const text = data.toString('utf8')
  const isGood = status >= 200 && status < 300
  // A success must be whole JSON; of a refusal that is not, only the status counts.
  const looksLikeJson = text.startsWith('{') || text.startsWith('[')
  if (!looksLikeJson) return { status, headers: flat, body: undefined }
  try {
    return { status, headers: flat, body: parseJson(text) }
  } catch (error) {
    if (isGood) throw error
    return { status, headers: flat, body: undefined }
  }
}

function noJson(api: Api, asked: string, { status, headers }: Answer, bytes: number): Failure {
  const what = bytes === 0 ? 'nothing' : `${headers['content-type'] ?? 'a body without a type'}`
  return new Failure('transient', `${api.name} answered ${asked} with ${status} and ${what} instead of JSON.`, { status })
}

/** A request that brought no answer. The library's error holds headers, so only its code and words go on. */
function lostConnection(api: Api, error: unknown): Failure {
  const code = error instanceof AxiosError ? (error.code ?? '') : ''
  const text = error instanceof Error ? error.message : String(error)
  if (code === 'ERR_BAD_RESPONSE' && text.includes('maxContentLength'))
    return new Failure('permanent', `${api.name} sent a body beyond every bound: ${text}.`)
  return new Failure('transient', `No answer from ${api.name}: ${text}${code ? ` (${code})` : ''}.`, { code }, { cause: new Error(text) })
}
