import { Failure } from '../core/failure.js'
import { parseJson, textOf } from './json.js'

const code = (character: string) => character.charCodeAt(0)
const quote = code('"')
const backslash = code('\\')
const comma = code(',')
const opening: ReadonlySet<number> = new Set([code('['), code('{')])
const closing: ReadonlySet<number> = new Set([code(']'), code('}')])
const listStart = code('[')
const listEnd = code(']')
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * The elements of a body that is one JSON array, each parsed as soon as its last byte is there: numbers exact, as `parseJson` has
 * them. No more than one element and one chunk are held. Bytes of a character beyond ASCII are never taken for JSON's own signs.
 * @param maxBytes largest element
 * @throws Failure `transient` when the body is no array or ends before the array does, `permanent` beyond `maxBytes`
 */
export async function* elementsOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncIterable<unknown> {
  /** 0: before the array; 1: in it; more: within an element. After its end: -1. */
  let depth = 0
  let isText = false
  let isEscaped = false
  let hasElements = false
  let held: Buffer[] = []
  let size = 0

  const hold = (part: Buffer) => {
    size += part.length
    if (size > maxBytes) throw new Failure('permanent', `The vendor sent one element of more than ${maxBytes} bytes.`)
    held.push(part)
  }
  const take = () => {
    const text = textOf(held.length === 1 ? held[0]! : Buffer.concat(held)).trim()
    held = []
    size = 0
    return text
  }

  for await (const chunk of chunks) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (isText) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) isText = false
      } else if (depth <= 0) {
        if (isSpace(byte)) continue
        if (depth < 0 || byte !== listStart) throw new Failure('transient', 'The vendor sent a body that is not one JSON array.')
        depth = 1
        from = at + 1
      } else if (byte === quote) isText = true
      else if (opening.has(byte)) depth++
      else if (depth > 1) {
        if (closing.has(byte)) depth--
      } else if (byte === comma || byte === listEnd) {
        hold(chunk.subarray(from, at))
        const text = take()
        from = at + 1
        if (byte === listEnd) depth = -1
        // `[]` alone has nothing between its signs; anywhere else that is an element cut out.
        if (byte === listEnd && !hasElements && text === '') continue
        hasElements = true
        yield parseJson(text)
      }
    }
    if (depth > 0 && from < chunk.length) hold(chunk.subarray(from))
  }
  if (depth !== -1) throw new Failure('transient', 'The vendor’s answer broke off before its end.')
}
