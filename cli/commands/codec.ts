import { createServer, type IncomingMessage } from 'node:http'
import type { Payload } from '@temporalio/common'
import { Failure } from '../../src/core/failure.js'
import { payloadCodec } from '../../worker/codec.js'
import type { Printer } from '../print.js'
import { untilSignal } from '../until-signal.js'

/** As the Temporal UI sends payloads: bytes in base64. */
interface Sent {
  metadata?: Record<string, string> | null
  data?: string | null
}

const largest = 8 * 1024 * 1024

/** Decrypts for the Temporal UI of this machine, until a signal: who opens the page sees what the key opens. */
export async function run({ options, printer }: { options: { port: number; ui: string }; printer: Printer }): Promise<number> {
  if (!process.env.WEIR_KEY) throw new Failure('config', 'WEIR_KEY is not set: what Temporal holds is encrypted with it.')
  const codec = payloadCodec(process.env.WEIR_KEY, true)
  const server = createServer(async (request, response) => {
    // Only pages of the UI may ask, and no other page of a browser.
    const headers = {
      'access-control-allow-origin': options.ui,
      'access-control-allow-headers': 'content-type,x-namespace,authorization',
      'content-type': 'application/json',
      vary: 'origin',
    }
    const answer = (status: number, body?: unknown) =>
      response.writeHead(status, headers).end(body === undefined ? '' : JSON.stringify(body))
    const work = { '/decode': codec.decode, '/encode': codec.encode }[request.url ?? '']
    if (request.method === 'OPTIONS') return answer(204)
    if (request.method !== 'POST' || !work || (request.headers.origin !== undefined && request.headers.origin !== options.ui))
      return answer(404)
    try {
      const { payloads } = JSON.parse(await bodyOf(request)) as { payloads: Sent[] }
      answer(200, { payloads: (await work(payloads.map(read))).map(written) })
    } catch (error) {
      answer(400, { message: error instanceof Error ? error.message : String(error) })
    }
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${options.port}`
  printer.json({ url })
  printer.line(
    `Decrypting at ${url} for the Temporal UI at ${options.ui}: in the UI, "Configure Codec Server", or start it with --ui-codec-endpoint ${url}.`,
  )
  await untilSignal()
  server.close()
  server.closeAllConnections()
  return 0
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > largest) throw new Error(`More than ${largest} bytes.`)
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts).toString('utf8')
}

const read = ({ metadata, data }: Sent): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
  data: Buffer.from(data ?? '', 'base64'),
})

const written = ({ metadata, data }: Payload): Sent => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
  data: Buffer.from(data ?? []).toString('base64'),
})
