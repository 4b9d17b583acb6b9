import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import axios, { AxiosError, type AxiosRequestConfig } from 'axios'
import { Failure } from '../core/failure.js'

/** An answer, unread. */
export interface Sent {
  status: number
  headers: Readonly<Record<string, string>>
  /** Its whole body; of one that still comes in, nothing. */
  data: Buffer
  /** The body of one that still comes in. @throws Failure `transient` where it breaks off, falls silent or only drips. */
  chunks?: AsyncIterable<Buffer>
}

export interface WireLimits {
  /** One request, from its start to the last byte of its answer. */
  totalMs: number
  /** A socket silent for so long is dead. */
  silentMs: number
  /** Largest body that is read. */
  maxBytes: number
}

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

export interface Sending {
  url: URL
  method: string
  headers: Readonly<Record<string, string>>
  body?: string | undefined
  signal?: AbortSignal | undefined
}

/** Sends one request and brings its whole answer, or says why not. Nothing of the request, which holds the credential, gets into a failure. */
export async function send(vendor: string, sending: Sending, limits: WireLimits): Promise<Sent> {
  return begin(vendor, sending, limits, async (config) => {
    const { status, headers, data } = await wire.request<Buffer>({ ...config, maxContentLength: limits.maxBytes })
    return { status, headers: flat(headers), data }
  })
}

/** A body that still comes in. Whoever has it stops it in the end: it holds a socket. */
export type Opened = Sent & { stop: () => void }

/**
 * As `send`, but the body of a good answer is given as it comes in. Time that its reader takes for itself counts for no time-out.
 * A refusal comes whole.
 */
export async function open(vendor: string, sending: Sending, limits: WireLimits): Promise<Opened> {
  return begin(vendor, sending, limits, async (config) => {
    const response = await wire.request<Readable>({ ...config, responseType: 'stream', maxContentLength: -1 })
    const body = response.data
    // What breaks while nobody reads is met by whoever reads on.
    body.on('error', () => undefined)
    const head = { status: response.status, headers: flat(response.headers), stop: () => void body.destroy() }
    const chunks = chunksOf(vendor, body, sending.signal, limits)
    return isGood(head) ? { ...head, data: Buffer.alloc(0), chunks } : { ...head, data: await whole(chunks, limits.maxBytes) }
  })
}

export const isGood = ({ status }: { status: number }): boolean => status >= 200 && status < 300

async function whole(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`maxContentLength size of ${maxBytes} exceeded`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Runs one request under its time-out and the caller's signal. */
async function begin<T>(
  vendor: string,
  { url, method, headers, body, signal }: Sending,
  limits: WireLimits,
  work: (config: AxiosRequestConfig) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const abort = new AbortController()
  const onAbort = () => abort.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(
    () => abort.abort(new Failure('transient', `${vendor} gave no whole answer in ${limits.totalMs / 1000} s.`)),
    limits.totalMs,
  )
  try {
    return await work({
      url: url.href,
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { data: body }),
      signal: abort.signal,
      timeout: limits.silentMs,
    })
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason
    throw error instanceof Failure ? error : lost(vendor, error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** A body that brings less than this while `totalMs` are spent waiting for it will never end. */
const dripBytes = 64 * 1024

async function* chunksOf(
  vendor: string,
  body: Readable,
  signal: AbortSignal | undefined,
  { silentMs, totalMs }: WireLimits,
): AsyncIterable<Buffer> {
  const onAbort = () => body.destroy(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let waitedMs = 0
  let bytes = 0
  try {
    for (;;) {
      signal?.throwIfAborted()
      const patienceMs = Math.min(silentMs, totalMs - waitedMs)
      const since = performance.now()
      const timer = setTimeout(
        () => body.destroy(new Failure('transient', `${vendor} sent no more of its answer for ${patienceMs / 1000} s.`)),
        patienceMs,
      )
      const step = await chunks.next().finally(() => clearTimeout(timer))
      if (step.done) return
      waitedMs += performance.now() - since
      bytes += step.value.length
      if (bytes >= dripBytes) waitedMs = bytes = 0
      yield step.value
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof Failure ? error : lost(vendor, error)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    body.destroy()
  }
}

function flat(headers: object): Record<string, string> {
  const told = Object.entries(headers as Record<string, unknown>).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(told.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

/** A request that brought no answer. The library's error holds headers, so only its code and words go on. */
function lost(vendor: string, error: unknown): Failure {
  const code = error instanceof AxiosError ? (error.code ?? '') : ''
  const text = error instanceof Error ? error.message : String(error)
  if (text.includes('maxContentLength')) return new Failure('permanent', `${vendor} sent a body beyond every bound: ${text}.`)
  return new Failure('transient', `No answer from ${vendor}: ${text}${code ? ` (${code})` : ''}.`, code ? { code } : {})
}
