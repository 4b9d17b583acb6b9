import { setMaxListeners } from 'node:events'
import type { ConnectionDefinition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Clock, Log, TokenStore } from '../core/ports.js'
import type { Http, HttpRequest, Rec } from '../core/types.js'
import { type Asked, expectJson, jsonOf, read, textBodyOf } from './answers.js'
import type { Api, Auth } from './api.js'
import { createAuthorizer } from './auth.js'
import { type Accounts, longestWaitMs, type Priority, type Spender, type SpendOptions, unlimited } from './budget.js'
import { type Answer, classify, retryAfterMs } from './classify.js'
import { elementsOf } from './elements.js'
import { atOrigin, homeOf, hostOf, sameOrigin, urlOf } from './origin.js'
import { backOffMs, retry } from './retry.js'
import { createMask, type Mask } from './secrets.js'
import { formSender } from './token-endpoint.js'
import { createUsage, type Measuring } from './usage.js'
import { isGood, type Opened, open, type Sending, type Sent, send, type WireLimits } from './wire.js'

export interface ClientDeps {
  clock: Clock
  log: Log
  accounts: Accounts
  tokens?: TokenStore
  signal?: AbortSignal
  /** Default: live. */
  priority?: Priority
  random?: () => number
  /** Knows what must not stand in a failure, where that is more than the credential. */
  mask?: Mask
  /** Told until when a request waits for its budget, where that takes seconds; what takes longer is thrown. */
  onWait?: (until: string) => void
  measuring?: Measuring
  /** Time-outs and retries; defaults suit production. */
  limits?: Partial<ClientLimits>
}

export interface ClientLimits extends WireLimits {
  /** Tries after the first for what may pass. */
  retries: number
  /** First wait between tries; doubles, with jitter. Refusals for the rate that do not say how long wait twice as long. */
  retryMs: number
  /** Refusals for the rate that one request waits out, before it hands the wait to whoever called. */
  refusals: number
}

const defaults: ClientLimits = {
  totalMs: 120_000,
  silentMs: 60_000,
  maxBytes: 256 * 1024 * 1024,
  retries: 6,
  retryMs: 500,
  refusals: 6,
}
const maxRedirects = 3
/** How long a request rests that was refused too often. */
const crowdedMs = 30_000

/**
 * A client for one connection. Every request passes by the account's breaker and budget, carries the credential to the
 * configured origin and nowhere else, and is repeated while its failure may pass. Failures are classified once, here.
 * @param connection with resolved settings
 */
export function createHttp(api: Api, connection: ConnectionDefinition, deps: ClientDeps): Http {
  const { clock, signal, priority = 'live', random = Math.random } = deps
  const limits = { ...defaults, ...deps.limits }
  // Every request under way listens; Node would take many of them for a leak.
  if (signal) setMaxListeners(0, signal)
  const origin = new URL(connection.baseUrl ?? api.origin)
  const version = connection.apiVersion ?? api.versions[0].name
  const account = deps.accounts(api.name, `${origin.origin}\n${api.account(connection.settings)}`)
  const { used, sent: onWire, received, answered, ended, retried: repeated, waited } = createUsage(clock, deps.measuring)
  const fixed = { accept: 'application/json', 'user-agent': 'weir', ...api.headers(version, connection.settings) }
  const auth = atOrigin(api.auth(connection.settings), api, origin)
  const mask = deps.mask ?? createMask()
  mask.learn(...secretsOf(auth))
  const authorizer = createAuthorizer(auth, {
    connection: connection.name,
    tokens: deps.tokens,
    clock,
    send: formSender(async (sending) => {
      const sent = await whole(sending)
      ended(isGood(sent) ? 'ok' : 'auth')
      return sent
    }),
  })

  let toldUntilMs = 0
  const waits = (ms: number) => {
    const untilMs = clock.now().getTime() + ms
    // Each look at the budget says the same again.
    if (untilMs - toldUntilMs < 1_000) return
    toldUntilMs = untilMs
    deps.onWait?.(new Date(untilMs).toISOString())
  }

  async function whole(sending: Sending): Promise<Sent> {
    const sent = await onWire(sending, () => send(api.name, { ...sending, signal }, limits))
    received(sent.data.length)
    return sent
  }

  /** Opens an answer and keeps its permit until it is stopped: the vendor counts it as under way as long as it comes in. */
  const opened = (sending: Sending, spender: Spender, options: SpendOptions) =>
    new Promise<Opened>((resolve, reject) => {
      const work = async () => {
        const sent = await onWire(sending, () => open(api.name, { ...sending, signal }, limits))
        received(sent.data.length)
        const { chunks } = sent
        if (!chunks) return resolve(sent)
        await new Promise<void>((done) => {
          const stop = () => {
            sent.stop()
            done()
          }
          resolve({ ...sent, chunks: counted(chunks), stop })
        })
      }
      spender.spend(work, options).catch(reject)
    })

  async function* counted(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of chunks) {
      received(chunk.length)
      yield chunk
    }
  }

  function spenderOf({ budget: name, payer }: HttpRequest, method: string, path: string): Spender {
    if (connection.budget === 'off') return account.spender('off', unlimited)
    const chosen = name ?? Object.keys(api.budgets)[0]!
    const declared = api.budgets[chosen]
    if (!declared) throw new Failure('bug', `${api.name} has no budget "${chosen}".`)
    const { requests, perDay, concurrency = declared.concurrency, backfillShare } = connection.budget ?? {}
    const counted = [chosen, api.endpoint?.(method, path), payer].filter((part) => part !== undefined).join(' ')
    const layers: Spender[] = []
    if (perDay !== undefined)
      layers.push(account.spender('day', { windows: [{ count: perDay, perMs: 86_400_000 }], concurrency: 64, backfillShare }))
    // A rate that the user sets is for all calls together. It takes the place of the first budget; smaller ones hold beside it.
    if (requests) layers.push(account.spender('all', { windows: [requests], concurrency, backfillShare }))
    if (!requests || chosen !== Object.keys(api.budgets)[0])
      layers.push(account.spender(counted, { windows: declared.windows, concurrency, backfillShare }))
    let spender = layers.pop()!
    for (const outer of layers.reverse()) {
      const inner = spender
      spender = { ...inner, spend: (work, options) => outer.spend(() => inner.spend(work, options), options) }
    }
    return spender
  }

  /** Sends what is asked, under a permit of the spender. */
  type Call<T extends Sent> = (sending: Sending, spender: Spender, options: SpendOptions) => Promise<T>
  type Good<T extends Sent> = { sent: T; spender: Spender; asked: Asked }

  /** One try: permit, credential, answer; the answer judged. Waits that the vendor asks for are part of it. */
  async function attempt<T extends Sent>(request: HttpRequest, call: Call<T>): Promise<Good<T>> {
    const method = request.method ?? 'GET'
    const body = request.text ?? (request.body === undefined ? undefined : JSON.stringify(request.body))
    const budget = connection.budget === 'off' ? 'off' : (request.budget ?? Object.keys(api.budgets)[0]!)
    let redirected: string | undefined
    for (let redirects = 0, renewals = 0, refusals = 0; ; ) {
      await account.breaker.check()
      const { headers: credential, query: proof, apiUrl } = await authorizer.credential()
      mask.learn(...Object.values(credential), ...Object.values(proof ?? {}))
      // A new token may name another place.
      const home = request.host === undefined ? homeOf(apiUrl, origin, api) : hostOf(request.host, origin, api, connection.settings)
      const url = urlOf({ ...request, query: { ...request.query, ...proof } }, home, api)
      const target = redirected === undefined ? url : sameOrigin(redirected, home, api)
      const spender = spenderOf(request, method, url.pathname)
      const asked = { vendor: api.name, what: `${method} ${url.pathname}` }
      const headers = {
        ...fixed,
        ...(request.answer === 'text' || request.answer === 'none' ? { accept: '*/*' } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
        ...credential,
      }
      const sent = await call({ url: target, method, headers, body }, spender, { priority, waited, waits, signal })
      answered(budget)
      if (isGood(sent) || (request.refusals?.includes(sent.status) && read(sent) !== undefined)) {
        ended('ok')
        return { sent, spender, asked }
      }
      const answer = { status: sent.status, headers: sent.headers, body: read(sent) }
      const { status, headers: told } = answer
      if (status >= 300 && status < 400 && told.location) {
        redirected = sameOrigin(told.location, home, api, target).href
        ended('redirect')
        if (++redirects > maxRedirects)
          throw new Failure('transient', `${api.name} redirected ${asked.what} more than ${maxRedirects} times.`)
        continue
      }
      const failure = classify(api, connection.name, asked.what, answer)
      ended(failure.reason)
      // A 401 may be about an account instead of the token: no new token helps there.
      if (status === 401 && failure.reason === 'auth' && renewals++ === 0 && (await authorizer.renew(credential))) {
        // A new token may name another place.
        redirected = undefined
        repeated()
      } else {
        if (failure.reason === 'transient') rest(failure, answer, spender)
        else await account.breaker.good()
        if (failure.reason !== 'throttled') throw failure
        pause(failure, answer, spender, ++refusals)
        repeated()
      }
    }
  }

  const toldMs = (answer: Answer) => api.retryAfterMs?.(answer) ?? retryAfterMs(answer.headers['retry-after'], clock.now())

  /** Rests the budget for as long as the vendor says. @throws the failure with the instant, when that is too long to wait here. */
  function pause(failure: Failure, answer: Answer, spender: Spender, refusals: number): void {
    const told = toldMs(answer)
    // "Try again in 0 seconds" is said, too; a request that is refused again and again rests all the same.
    const firstMs = told === undefined ? 2 * limits.retryMs : refusals > 1 ? limits.retryMs / 2 : 0
    const restMs = Math.max(told ?? 0, backOffMs(refusals, firstMs, random))
    spender.pause(restMs)
    if (restMs > longestWaitMs) throw until(restMs, failure)
    if (refusals > limits.refusals) throw until(Math.max(restMs, crowdedMs), failure)
  }

  /** A vendor that is down may say for how long, too. @throws as `pause` does. */
  function rest(failure: Failure, answer: Answer, spender: Spender): void {
    const told = toldMs(answer)
    if (told === undefined) return
    spender.pause(told)
    if (told > longestWaitMs) throw until(told, failure)
  }

  const until = (ms: number, { message, where }: Failure) =>
    new Failure('throttled', message, { ...where, waitUntil: new Date(clock.now().getTime() + ms).toISOString() })

  /** @throws Failure `throttled` with the instant, when that is too long to wait here */
  async function hold(ms: number): Promise<void> {
    if (ms > longestWaitMs) throw until(ms, new Failure('throttled', `${api.name} is still making what was asked for.`))
    await clock.sleep(ms, signal)
    waited(ms)
  }

  /** Vendors quote what they were sent, credentials included. */
  function masked(thrown: unknown): never {
    if (!(thrown instanceof Failure)) throw thrown
    const { reason, message, where, isFinal, cause, stack } = thrown
    const code = where.code === undefined ? undefined : mask.of(where.code)
    if (mask.of(message) === message && code === where.code) throw thrown
    const clean = new Failure(reason, mask.of(message), { ...where, ...(code === undefined ? {} : { code }) }, { cause, isFinal })
    if (stack) clean.stack = mask.of(stack)
    throw clean
  }

  /** What a good answer says of the account. */
  async function learn({ headers }: Sent, spender: Spender): Promise<void> {
    await account.breaker.good()
    const learned = api.learn?.(headers)
    if (learned?.pauseMs !== undefined) spender.pause(learned.pauseMs)
    if (learned?.window && !isSet(connection.budget)) spender.learn(learned.window)
  }

  const note = async (failure: Failure, isRepeated: boolean) => {
    if (isRepeated) repeated()
    deps.log.debug(failure.message, { connection: connection.name, reason: failure.reason })
    await account.breaker.bad()
  }
  const tried = <T>(work: () => Promise<T>, retries = limits.retries) =>
    retry(() => work().catch(masked), { ...limits, retries, signal, onFailure: note })

  return {
    settings: { ...api.forReaders?.(connection.settings), apiVersion: version },
    used,
    async request(request) {
      if (request.afterMs) await hold(request.afterMs)
      const ask = async () => {
        const call: Call<Sent> = (sending, spender, options) => spender.spend(() => whole(sending), options)
        const { sent, spender, asked } = await attempt(request, call)
        const body = request.answer === 'none' ? {} : request.answer === 'text' ? textBodyOf(asked, sent) : jsonOf(asked, sent)
        await learn(sent, spender)
        return { status: sent.status, headers: sent.headers, body, bytes: sent.data.length }
      }
      return tried(ask, request.once ? 0 : limits.retries)
    },
    async *stream(request) {
      // Until its first element is there, an answer may be asked for again: nothing of it has been given.
      const { elements, first, stop } = await tried(async () => {
        const { sent, spender, asked } = await attempt(request, opened)
        try {
          expectJson(asked, sent)
          const elements = elementsOf(sent.chunks!, limits.maxBytes)[Symbol.asyncIterator]()
          const first = await elements.next()
          await learn(sent, spender)
          return { elements, first, stop: sent.stop }
        } catch (error) {
          sent.stop()
          throw error
        }
      })
      try {
        for (let step = first; !step.done; step = await elements.next()) yield step.value as Rec
      } catch (error) {
        if (error instanceof Failure && error.reason === 'transient') await note(error, false)
        masked(error)
      } finally {
        stop()
      }
    },
  }
}

const secretsOf = (auth: Auth): string[] =>
  auth.kind === 'header'
    ? [...Object.values(auth.headers), ...Object.values(auth.query ?? {})]
    : auth.kind === 'token'
      ? [auth.clientSecret, auth.token ?? '']
      : [auth.clientSecret, auth.refreshToken ?? '', ...(auth.secrets ?? [])]

/** Has the user set what may be spent? Then the vendor's headers do not change it. */
const isSet = (budget: ConnectionDefinition['budget']) => budget === 'off' || budget?.requests !== undefined
