import { Failure } from '../core/failure.js'
import type { Rec } from '../core/types.js'
import { jsonTextOf, parseJson, textOf } from './json.js'
import type { Sent } from './wire.js'

/** What was asked, for messages. */
export interface Asked {
  vendor: string
  /** Method and path. */
  what: string
}

/** The JSON of an answer: a success must be whole JSON; of a refusal that is not, only the status counts. */
export function read({ status, data }: Sent): unknown {
  const text = jsonTextOf(data).trimStart()
  if (!text.startsWith('{') && !text.startsWith('[')) return undefined
  try {
    return parseJson(text)
  } catch (error) {
    if (status >= 200 && status < 300) throw error
    return undefined
  }
}

/** The body of a success that is to be JSON. @throws Failure `transient` for anything else, nothing included */
export function jsonOf(asked: Asked, sent: Sent): Rec {
  const body = read(sent)
  if (!mayBeEmpty(sent) && (body === undefined || !isJson(sent))) throw unexpected(asked, sent, 'JSON')
  return (body ?? {}) as Rec
}

/**
 * The body of a success that is to be text. A text that was cut with a clean end looks whole: who reads it compares its rows with
 * what the vendor counted.
 * @throws Failure `transient` for nothing, and for a page meant for people
 */
export function textBodyOf(asked: Asked, sent: Sent): { text: string } {
  const text = textOf(sent.data)
  const isPage = typeOf(sent).includes('html') || /^\s*<(?:!doctype\s+html|html)\b/i.test(text.slice(0, 500))
  if (isPage || (text.trim() === '' && !mayBeEmpty(sent))) throw unexpected(asked, sent, 'text')
  return { text }
}

/** @throws Failure `transient` where the head of a success says that no JSON follows */
export function expectJson(asked: Asked, sent: Sent): void {
  if (!isJson(sent)) throw unexpected(asked, sent, 'JSON')
}

type Head = Pick<Sent, 'status' | 'headers'>
const typeOf = ({ headers }: Head) => (headers['content-type'] ?? '').toLowerCase()
const isJson = (sent: Head) => typeOf(sent) === '' || typeOf(sent).includes('json')
const mayBeEmpty = ({ status }: Head) => status === 204 || status === 202

function unexpected({ vendor, what }: Asked, sent: Sent, wanted: string): Failure {
  const came = sent.data.length === 0 && sent.chunks === undefined ? 'nothing' : typeOf(sent) || 'a body without a type'
  return new Failure('transient', `${vendor} answered ${what} with ${sent.status} and ${came} instead of ${wanted}.`, {
    status: sent.status,
  })
}
