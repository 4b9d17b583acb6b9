/** Writes an answer onto the wire, whole or damaged as a fault wants it. */
import type { ServerResponse } from 'node:http'
import type { Fault } from './faults.js'
import type { Reply } from './http.js'

const edgePage = (status: number) =>
  `<!DOCTYPE html>\n<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center><hr><center>edge</center></body></html>\n`

export const htmlReply = (status: number): Reply => ({ status, body: edgePage(status), contentType: 'text/html; charset=utf-8' })

export function send(response: ServerResponse, reply: Reply, fault: Fault | undefined, drip: number | undefined): void {
  let text = reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
  if (fault?.kind === 'rewrite') text = text.replaceAll(fault.find, fault.put)
  const whole = Buffer.from(text)
  const half = whole.subarray(0, Math.floor(whole.length / 2))
  const headers: Record<string, string> = { ...reply.headers }
  if (whole.length > 0 || reply.contentType !== undefined) headers['content-type'] = reply.contentType ?? 'application/json'
  if (fault?.kind === 'content-type') headers['content-type'] = fault.type
  if (fault?.kind === 'broken-gzip') headers['content-encoding'] = 'gzip'

  if (fault?.kind === 'cut' && fault.how === 'chunk') {
    response.writeHead(reply.status, headers)
    response.write(half, () => response.socket?.destroy())
    return
  }
  const sent = fault?.kind === 'cut' && fault.how === 'clean' ? half : whole
  if (reply.status !== 204) headers['content-length'] = String(sent.length)
  response.writeHead(reply.status, headers)
  if (fault?.kind === 'reset') response.write(half, () => response.socket?.resetAndDestroy())
  else if (fault?.kind === 'cut' && fault.how === 'length') response.write(half, () => response.socket?.destroy())
  else if (drip !== undefined) writeSlowly(response, sent, drip)
  else response.end(sent)
}

function writeSlowly(response: ServerResponse, bytes: Buffer, everyMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    if (response.destroyed || at >= bytes.length) {
      clearInterval(timer)
      if (!response.destroyed) response.end()
    } else response.write(bytes.subarray(at, ++at))
  }, everyMs)
  timer.unref()
}
