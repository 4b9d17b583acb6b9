import { ExactNumber, type Rec, type Resume, type Stream } from '../core/types.js'
import { type Missing, type RowEncoder, Unstorable } from '../schema/encode.js'
import { jsonText } from '../schema/json.js'
import type { BatchCommit, Claim, Letter, OpenTable, TableSpec } from '../warehouse/driver.js'

/** The encoder of a table as it stands now; columns that records need are added to the table, and the encoder follows. */
export interface Typer {
  readonly spec: TableSpec
  readonly table: OpenTable
  readonly encoder: RowEncoder
  /** Adds columns; afterwards `encoder` knows them. */
  extend: (missing: Missing) => Promise<void>
}

/** Pages on their way into one warehouse transaction. */
export class Batch {
  bytes = 0
  pages = 0
  position: { resume?: Resume | undefined; reached?: string | undefined }
  private lines: string[] = []
  private readonly records: Rec[] = []
  private readonly letters: Letter[] = []
  private read = 0

  constructor(
    private readonly typer: Typer,
    position: { resume?: Resume | undefined; reached?: string | undefined },
    readonly openedAt: Date,
  ) {
    this.position = position
    this.reached = position.reached
  }

  /** The newest cursor value seen so far. */
  reached: string | undefined

  /** Records that fit a row. */
  get size(): number {
    return this.lines.length
  }

  /** Types one page. Fields that nobody knew get their columns first, and the page is typed again. */
  async add(raws: readonly Rec[], stream: Stream): Promise<void> {
    const { records, letters } = flatten(raws, stream)
    for (;;) {
      const missing: Missing = new Map()
      const page = this.encode(records, stream, missing)
      if (missing.size === 0) {
        for (const line of page.lines) {
          this.lines.push(line)
          this.bytes += line.length
        }
        this.records.push(...page.records)
        this.letters.push(...letters, ...page.letters)
        this.read += raws.length
        this.pages++
        if (page.reached !== undefined && (this.reached === undefined || page.reached > this.reached)) this.reached = page.reached
        return
      }
      await this.extend(missing)
    }
  }

  private encode(
    records: readonly Rec[],
    stream: Stream,
    missing: Missing,
  ): { lines: string[]; records: Rec[]; letters: Letter[]; reached?: string } {
    const encoder = this.typer.encoder
    const page = { lines: [] as string[], records: [] as Rec[], letters: [] as Letter[] }
    const cursor = stream.cursor?.field
    let reached: string | undefined
    for (const record of records) {
      if (cursor !== undefined) {
        const value = record[cursor]
        if (typeof value === 'string' && (reached === undefined || value > reached)) reached = value
      }
      const problem = keyProblem(record, stream)
      if (problem) {
        page.letters.push(letterOf(record, stream, problem))
        continue
      }
      try {
        page.lines.push(encoder.encode(record, missing))
        page.records.push(record)
      } catch (error) {
        if (!(error instanceof Unstorable)) throw error
        page.letters.push(letterOf(record, stream, error.message))
      }
    }
    return reached === undefined ? page : { ...page, reached }
  }

  /** Lines typed before a column came get an empty cell for it: new columns stand last, before `_weir_extra`. */
  private async extend(missing: Missing): Promise<void> {
    const before = this.typer.encoder.columns.length
    await this.typer.extend(missing)
    const cells = '\t\\N'.repeat(this.typer.encoder.columns.length - before)
    this.lines = this.lines.map((line) => {
      const at = line.lastIndexOf('\t')
      return line.slice(0, at) + cells + line.slice(at)
    })
  }

  /** Everything that one transaction needs. */
  commit(claim: Claim, used: BatchCommit['used'], isLast: boolean): BatchCommit {
    const { table } = this.typer
    const { records } = this
    const key = table.spec.key
    return {
      claim,
      table,
      lines: this.lines,
      recordOf: (line) => ({ payload: jsonText(records[line]), recordKey: keyText(records[line]!, key) }),
      keyOf: (line) => keyText(records[line]!, key),
      letters: this.letters,
      read: this.read,
      used,
      position: this.position,
      isLast,
    }
  }
}

function keyProblem(record: Rec, { key }: Stream): string | undefined {
  for (const field of key) {
    const value = record[field]
    if (value === null || value === undefined || value === '') return `key field "${field}" is missing or empty`
  }
  return undefined
}

/** The key as letters name it: its text, or a JSON array of texts where it has several fields, so that no two keys read alike. */
export function keyText(record: Rec, key: readonly string[]): string {
  const texts = key.map((field) => {
    const value = record[field]
    return typeof value === 'object' && !(value instanceof ExactNumber) ? jsonText(value) : String(value)
  })
  return texts.length === 1 ? texts[0]! : JSON.stringify(texts)
}

/** The vendor's shape made flat. A record that the connector cannot read becomes a letter, alone, as the vendor shows it. */
function flatten(raws: readonly Rec[], stream: Stream): { records: Rec[]; letters: Letter[] } {
  const records: Rec[] = []
  const letters: Letter[] = []
  for (const raw of raws) {
    try {
      records.push(stream.record(raw))
    } catch (error) {
      const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      // What an error quotes may be a value of the record.
      const message = `The connector cannot read it: ${what.replaceAll(/"[^"]*"/g, '"…"').slice(0, 500)}`
      letters.push({ kind: 'record', reason: 'record', message, payload: jsonText(raw) ?? 'null', isRaw: true })
    }
  }
  return { records, letters }
}

function letterOf(record: Rec, stream: Stream, message: string): Letter {
  const hasKey = keyProblem(record, stream) === undefined
  return {
    kind: 'record',
    reason: 'record',
    message,
    payload: jsonText(record),
    ...(hasKey ? { recordKey: keyText(record, stream.key) } : {}),
  }
}
