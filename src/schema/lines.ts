/** Lines of COPY's text format as bytes, gathered page by page, so that a batch in memory is a few buffers and no objects. */
import { copyText } from './cells.js'
import type { Column } from './encode.js'
import { jsonText } from './json.js'

/**
 * Lines that fill the same columns; behind them stands `_weir_extra`, and the record as it was read where it is kept. Last, and alike in all
 * lines of a page, come the run and the instant of reading.
 */
export interface Segment {
  columns: readonly Column[]
  chunks: Buffer[]
}

/** Who read a record, and when by the warehouse's clock, as the database reads it. */
export interface Origin {
  run: string
  readAt: string
}

const chunkBytes = 512 * 1024
const newline = 10

/**
 * Memory of chunks that were released, for lines to come. A chunk lives until its commit, which is longer than V8's young generation, and
 * every 64 MB of such memory make V8 collect the whole old one: a tenth of a load's CPU.
 */
const spare: ArrayBufferLike[] = []
/** What one stream has in memory at once. */
const mostSpare = 16

export class Lines {
  readonly segments: Segment[] = []
  count = 0
  bytes = 0
  private room = 0

  /** Adds lines that fill `columns`, each with the cells of `origin` at its end. */
  add(lines: readonly string[], columns: readonly Column[], origin: Origin): void {
    if (lines.length === 0) return
    const tail = Buffer.from(`\t${copyText(origin.run)}\t${copyText(origin.readAt)}\n`)
    let segment = this.segments.at(-1)
    if (segment?.columns !== columns) {
      this.trim()
      segment = { columns, chunks: [] }
      this.segments.push(segment)
    }
    for (const line of lines) this.write(segment, line, tail)
    this.count += lines.length
  }

  /** Cuts what is reserved and not used; nothing is added to a segment afterwards. */
  trim(): readonly Segment[] {
    const chunks = this.segments.at(-1)?.chunks
    if (chunks) this.cut(chunks)
    return this.segments
  }

  /** Gives its lines up and their memory back: nobody may read them any more. */
  release(): void {
    for (const { chunks } of this.segments.splice(0))
      for (const { buffer } of chunks) if (buffer.byteLength === chunkBytes && spare.length < mostSpare) spare.push(buffer)
  }

  private cut(chunks: Buffer[]): void {
    const last = chunks.at(-1)
    if (last && this.room > 0) chunks[chunks.length - 1] = last.subarray(0, last.length - this.room)
    this.room = 0
  }

  private write({ chunks }: Segment, line: string, tail: Buffer): void {
    // A UTF-16 unit takes three bytes at most.
    const most = 3 * line.length + tail.length
    if (most > this.room) {
      this.cut(chunks)
      this.room = most > chunkBytes ? Buffer.byteLength(line) + tail.length : chunkBytes
      const kept = this.room === chunkBytes ? spare.pop() : undefined
      chunks.push(kept === undefined ? Buffer.allocUnsafeSlow(this.room) : Buffer.from(kept))
    }
    const chunk = chunks.at(-1)!
    const at = chunk.length - this.room
    const written = chunk.write(line, at)
    const bytes = written + tail.copy(chunk, at + written)
    this.room -= bytes
    this.bytes += bytes
  }
}

/** One line, without its newline, and the columns that it fills. */
export interface Line {
  columns: readonly Column[]
  bytes: Buffer
}

/** The lines one by one, in their order. */
export function split(segments: readonly Segment[]): Line[] {
  const lines: Line[] = []
  for (const { columns, chunks } of segments)
    for (const chunk of chunks)
      for (let from = 0; from < chunk.length; ) {
        const to = chunk.indexOf(newline, from)
        lines.push({ columns, bytes: chunk.subarray(from, to) })
        from = to + 1
      }
  return lines
}

/** Lines put together again, neighbours that fill the same columns as one segment. */
export function joined(lines: readonly Line[]): Segment[] {
  const segments: Segment[] = []
  for (const { columns, bytes } of lines) {
    const last = segments.at(-1)
    const chunk = Buffer.concat([bytes, Buffer.of(newline)])
    if (last?.columns === columns) last.chunks.push(chunk)
    else segments.push({ columns, chunks: [chunk] })
  }
  return segments
}

const meaning: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' }
/** A cell's text without COPY's escapes. */
export const plain = (cell: string): string => (cell.includes('\\') ? cell.replace(/\\(.)/g, (_, c: string) => meaning[c] ?? c) : cell)

const isNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * The record of a line as JSON text, field by field, exactly as it was to be stored, and when it was read: what a dead letter keeps of a row
 * that the database refused.
 */
export function recordOf({ columns, bytes }: Line): { payload: string; values: Readonly<Record<string, string>>; readAt: string } {
  const cells = bytes.toString('utf8').split('\t')
  const values: Record<string, string> = Object.create(null)
  const members: string[] = []
  columns.forEach(({ field, type }, i) => {
    const cell = cells[i]!
    if (cell === '\\N') return
    const value = type === 'boolean' ? String(cell === 't') : plain(cell)
    values[field] = value
    const isPlain =
      type === 'json' || type === 'boolean' || ((type === 'bigint' || type === 'numeric' || type === 'double') && isNumber.test(value))
    members.push(`${jsonText(field)}:${isPlain ? value : jsonText(value)}`)
  })
  const extra = cells[columns.length]!
  const rest = extra === '\\N' ? '' : plain(extra).slice(1, -1)
  if (rest !== '') members.push(rest)
  return { payload: `{${members.join(',')}}`, values, readAt: plain(cells.at(-1)!) }
}
