import { pipeline, type Readable, type Transform } from 'node:stream'
import { promisify } from 'node:util'
import { brotliDecompress, createBrotliDecompress, createGunzip, createInflate, gunzip, inflate } from 'node:zlib'
import { type Dispatcher, request } from 'undici'
import { Failure } from '../core/failure.js'
import { dispatcher } from './dispatcher.js'

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
  /** Largest body that is read, packed and unpacked. */
  maxBytes: number
}

/** How bodies may be packed, by the name in `content-encoding`: taken apart whole, or as they come in. */
const packings: Readonly<Record<string, { whole: typeof gunzip.__promisify__; inParts: () => Transform }>> = {
  gzip: { whole: promisify(gunzip), inParts: createGunzip },
  deflate: { whole: promisify(inflate), inParts: createInflate },
  br: { whole: promisify(brotliDecompress), inParts: createBrotliDecompress },
}
const packingOf = ({ headers }: Pick<Sent, 'headers'>) => packings[(headers['content-encoding'] ?? '').toLowerCase()]
const takesPacked = { 'accept-encoding': Object.keys(packings).join(', ') }

export interface Sending {
  url: URL
  method: string
  headers: Readonly<Record<string, string>>
  body?: string | undefined
  signal?: AbortSignal | undefined
}

/** Sends one request and brings its whole answer, or says why not. Nothing of the request, which holds the credential, gets into a failure. */
export async function send(vendor: string, sending: Sending, limits: WireLimits): Promise<Sent> {
  return begin(vendor, sending, limits, async (url, options) => {
    const response = await request(url, { ...options, bodyTimeout: limits.silentMs })
    const head = headOf(response)
    const packed = await whole(vendor, response.body, limits)
    const packing = packingOf(head)
    if (!packing || packed.length === 0) return { ...head, data: packed }
    try {
      return { ...head, data: await packing.whole(packed, { maxOutputLength: limits.maxBytes }) }
    } catch (error) {
      throw (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? beyond(vendor, limits) : error
    }
  })
}

/** A body that still comes in. Whoever has it stops it in the end: it holds a socket. */
export type Opened = Sent & { stop: () => void }

/**
 * As `send`, but the body of a good answer is given as it comes in. Time that its reader takes for itself counts for no time-out.
 * A refusal comes whole.
 */
export async function open(vendor: string, sending: Sending, limits: WireLimits): Promise<Opened> {
  return begin(vendor, sending, limits, async (url, options) => {
    const response = await request(url, { ...options, bodyTimeout: 0 })
    const head = { ...headOf(response), stop: () => void body.destroy() }
    const packing = packingOf(head)
    // What breaks while nobody reads is met by whoever reads on.
    const body: Readable = packing ? pipeline(response.body, packing.inParts(), () => undefined) : response.body
    body.on('error', () => undefined)
    const chunks = chunksOf(vendor, body, sending.signal, limits)
    return isGood(head) ? { ...head, data: Buffer.alloc(0), chunks } : { ...head, data: await whole(vendor, chunks, limits) }
  })
}

export const isGood = ({ status }: { status: number }): boolean => status >= 200 && status < 300

async function whole(vendor: string, chunks: AsyncIterable<Buffer>, limits: WireLimits): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limits.maxBytes) throw beyond(vendor, limits)
    parts.push(chunk)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

const beyond = (vendor: string, { maxBytes }: WireLimits) =>
  new Failure('permanent', `${vendor} sent a body beyond every bound: it has more than ${maxBytes} bytes.`)

type Options = NonNullable<Parameters<typeof request>[1]>

/** Runs one request under its time-out and the caller's signal. */
async function begin<T>(
  vendor: string,
  { url, method, headers, body, signal }: Sending,
  limits: WireLimits,
  work: (url: URL, options: Options) => Promise<T>,
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
    return await work(url, {
      dispatcher,
      method: method as Dispatcher.HttpMethod,
      headers: { ...takesPacked, ...headers },
      ...(body === undefined ? {} : { body }),
      signal: abort.signal,
      headersTimeout: limits.silentMs,
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

function headOf({ statusCode, headers }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>): Pick<Sent, 'status' | 'headers'> {
  const told = Object.entries(headers).filter(([, value]) => value !== undefined)
  return { status: statusCode, headers: Object.fromEntries(told.map(([name, value]) => [name, String(value)])) }
}

/** A request that brought no answer. The library's error may hold the request, so only its code and words go on. */
function lost(vendor: string, error: unknown): Failure {
  // Of several addresses of one name that were tried, the first one's.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error
  const { code = '', message = '' } = cause as { code?: string; message?: string }
  return new Failure(
    'transient',
    `No answer from ${vendor}: ${message || 'the connection was lost'}${code ? ` (${code})` : ''}.`,
    code ? { code } : {},
  )
}
