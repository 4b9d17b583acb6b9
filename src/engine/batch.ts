import type { Rec, Resume, Stream } from '../core/types.js'
import { shown, Unstorable } from '../schema/cells.js'
import type { Missing, RowEncoder } from '../schema/encode.js'
import { jsonText } from '../schema/json.js'
import { isEmpty, letterKey, versionAt } from '../schema/key.js'
import { Lines } from '../schema/lines.js'
import { isDate, isInstant } from '../schema/typing.js'
import type { BatchCommit, Claim, Letter } from '../warehouse/driver.js'
import type { Typer } from './typer.js'

type Position = { resume?: Resume | undefined; reached?: string | undefined }

/** Pages on their way into one warehouse transaction, as bytes: what was encoded is not kept as objects. */
export class Batch {
  pages = 0
  position: Position
  /** The newest cursor value seen so far. */
  reached: string | undefined
  private readonly lines = new Lines()
  private readonly letters: Letter[] = []
  private hasDeletions = false
  private read = 0

  constructor(
    private readonly typer: Typer,
    private readonly run: string,
    position: Position,
    readonly openedAt: Date,
  ) {
    this.position = position
    this.reached = position.reached
  }

  /** Records that fit a row. */
  get size(): number {
    return this.lines.count
  }

  get bytes(): number {
    return this.lines.bytes
  }

  /**
   * Types one page. Fields that nobody knew are decided on first, and the page is typed again.
   * @param readAt when it was read, by the warehouse's clock and as the database reads it
   */
  async add(raws: readonly Rec[], stream: Stream, readAt: string): Promise<void> {
    const { records, letters } = flatten(raws, stream)
    this.typer.watch(records)
    for (;;) {
      const missing: Missing = new Map()
      const { encoder } = this.typer
      const page = encodePage(records, stream, encoder, missing)
      if (missing.size === 0) {
        this.lines.add(page.lines, encoder.columns, { run: this.run, readAt })
        for (const letter of [...letters, ...page.letters]) this.letters.push({ ...letter, readAt })
        this.hasDeletions ||= page.hasDeletions
        this.read += raws.length
        this.pages++
        if (page.reached !== undefined && (this.reached === undefined || page.reached > this.reached)) this.reached = page.reached
        return
      }
      await this.typer.extend(missing)
    }
  }

  /** Gives its rows' memory back, once they are in the warehouse: until then a commit may have to be tried again. */
  release(): void {
    this.lines.release()
  }

  /** Everything that one transaction needs. */
  commit(claim: Claim, used: BatchCommit['used'], isLast: boolean): BatchCommit {
    return {
      claim,
      table: this.typer.table,
      rows: this.lines.count,
      segments: this.lines.trim(),
      hasDeletions: this.hasDeletions,
      letters: this.letters,
      read: this.read,
      used,
      position: this.position,
      isLast,
    }
  }
}

/** The vendor's shape made flat. A record that the connector cannot read becomes a letter, alone, as the vendor shows it. */
function flatten(raws: readonly Rec[], stream: Stream): { records: Rec[]; letters: Letter[] } {
  const records: Rec[] = []
  const letters: Letter[] = []
  for (const raw of raws) {
    try {
      const record = stream.record(raw)
      if (typeof record !== 'object' || record === null || Array.isArray(record)) throw new TypeError('it is no object')
      records.push(record)
    } catch (error) {
      letters.push(unreadable(raw, stream, error))
    }
  }
  return { records, letters }
}

/** What no column policy can be laid over, since it is not flat, is not kept where there is one. */
function unreadable(raw: Rec, stream: Stream, error: unknown): Letter {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const kept = stream.policy
    ? ' Since a column policy cannot be laid over it, what it holds was not kept: read it again when the connector can.'
    : ''
  return {
    kind: 'record',
    reason: 'record',
    // What an error quotes may be a value of the record.
    message: `The connector cannot read it: ${shown(what.replaceAll(/"[^"]*"/g, '"…"').slice(0, 500))}${kept}`,
    payload: stream.policy ? 'null' : (jsonText(raw) ?? 'null'),
    isRaw: true,
  }
}

interface EncodedPage {
  lines: string[]
  letters: Letter[]
  hasDeletions: boolean
  reached?: string
}

function encodePage(records: readonly Rec[], stream: Stream, encoder: RowEncoder, missing: Missing): EncodedPage {
  const page: EncodedPage = { lines: [], letters: [], hasDeletions: false }
  const { deletedAt } = stream
  const cursor = stream.cursor?.field
  for (const record of records) {
    if (cursor !== undefined) {
      const value = record[cursor]
      if (typeof value === 'string' && (page.reached === undefined || value > page.reached) && isTime(value)) page.reached = value
    }
    if (deletedAt !== undefined && !isEmpty(record[deletedAt])) page.hasDeletions = true
    const problem = keyProblem(record, stream)
    if (problem) {
      page.letters.push(letterOf(record, stream, problem))
      continue
    }
    try {
      page.lines.push(encoder.encode(record, missing))
    } catch (error) {
      if (!(error instanceof Unstorable)) throw error
      page.letters.push(letterOf(record, stream, error.message))
    }
  }
  return page
}

/** What is no time says nothing about how far the cursor has come. */
const isTime = (text: string) => isInstant(text) || isDate(text)

function keyProblem(record: Rec, { key }: Stream): string | undefined {
  const empty = key.find((field) => isEmpty(record[field]))
  return empty === undefined ? undefined : `key field "${empty}" is missing or empty`
}

function letterOf(record: Rec, stream: Stream, message: string): Letter {
  return {
    kind: 'record',
    reason: 'record',
    message,
    payload: jsonText(record),
    ...letterKey(record, stream.key),
    ...versionAt(record, { cursor: stream.cursor?.field, deletedAt: stream.deletedAt }),
  }
}
