import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import axios, { AxiosError } from 'axios'
import { Failure } from '../core/failure.js'

/** An answer, whole and unread. */
export interface Sent {
  status: number
  headers: Readonly<Record<string, string>>
  data: Buffer
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
export async function send(vendor: string, { url, method, headers, body, signal }: Sending, limits: WireLimits): Promise<Sent> {
  signal?.throwIfAborted()
  const abort = new AbortController()
  const onAbort = () => abort.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(
    () => abort.abort(new Failure('transient', `${vendor} gave no whole answer in ${limits.totalMs / 1000} s.`)),
    limits.totalMs,
  )
  try {
    const response = await wire.request<Buffer>({
      url: url.href,
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { data: body }),
      signal: abort.signal,
      timeout: limits.silentMs,
      maxContentLength: limits.maxBytes,
    })
    const flat: Record<string, string> = {}
    for (const [name, value] of Object.entries(response.headers))
      if (value !== undefined && value !== null) flat[name.toLowerCase()] = String(value)
    return { status: response.status, headers: flat, data: response.data }
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason
    throw lost(vendor, error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** A request that brought no answer. The library's error holds headers, so only its code and words go on. */
function lost(vendor: string, error: unknown): Failure {
  const code = error instanceof AxiosError ? (error.code ?? '') : ''
  const text = error instanceof Error ? error.message : String(error)
  if (text.includes('maxContentLength')) return new Failure('permanent', `${vendor} sent a body beyond every bound: ${text}.`)
  return new Failure('transient', `No answer from ${vendor}: ${text}${code ? ` (${code})` : ''}.`, code ? { code } : {})
}
