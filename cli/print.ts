import Table from 'cli-table3'
import type { FailureNote, RunStatus } from '../src/core/activities.js'
import { awaited } from '../src/core/failure.js'
import type { Pause } from '../src/core/pause.js'
import type { Finding } from '../src/core/types.js'
import type { StreamRunRow, Wait } from '../src/warehouse/driver.js'

/** What a command prints for people goes to standard output; notes on the way go to standard error. */
export interface Printer {
  isJson: boolean
  /** A line of the answer; nothing with --json. */
  line: (text?: string) => void
  table: (head: readonly string[], rows: readonly (readonly (string | number)[])[]) => void
  /** The whole answer with --json; nothing without. */
  json: (value: unknown) => void
  /** A note on the way: what is being started, waited for. Never part of the answer. */
  note: (text: string) => void
}

export function createPrinter(isJson: boolean): Printer {
  return {
    isJson,
    line: (text = '') => {
      if (!isJson) process.stdout.write(`${text}\n`)
    },
    table: (head, rows) => {
      if (!isJson) process.stdout.write(`${tableText(head, rows)}\n`)
    },
    json: (value) => {
      if (isJson) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    },
    note: (text) => process.stderr.write(`${text}\n`),
  }
}

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Columns under their heads, numbers to the right. */
export function tableText(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const colAligns = head.map(
    (_, i) => (rows.length > 0 && rows.every((row) => typeof row[i] === 'number') ? 'right' : 'left') as 'left' | 'right',
  )
  const table = new Table({
    head: [...head],
    chars: plain,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns,
  })
  for (const row of rows) table.push(row.map((cell) => (typeof cell === 'number' ? number(cell) : cell)))
  return table.toString().replace(/ +$/gm, '')
}

/** 1234567 → 1,234,567 */
export const number = (value: number): string => Math.round(value).toLocaleString('en-US')

export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

export const ago = (instant: string, now = Date.now()): string => `${duration(Math.max(0, now - Date.parse(instant)))} ago`

/** Statuses in a person's words. */
export const statusText = (status: RunStatus, deadLetters = 0): string =>
  status === 'completed_with_dead_letters' ? `completed with ${number(deadLetters)} dead letters` : status

/** How a stream stands: what its run waits for, while that is so. */
export const standing = ({ status, deadLetters, wait }: Pick<StreamRunRow, 'status' | 'deadLetters' | 'wait'>): string =>
  wait === undefined ? statusText(status, deadLetters) : waitText(wait)

export const waitText = (wait: Wait): string => `waiting for ${awaited(wait.for)} until ${wait.until.replace(/\.\d+Z$/, 'Z')}`

/** What was looked at, each with what to do about it where it is not right. */
export function printFindings(findings: readonly Finding[], { line }: Printer): void {
  for (const { name, ok, message, hint } of findings)
    line(`  ${ok ? 'ok  ' : 'FAIL'} ${name}: ${message}${hint ? `\n       → ${hint}` : ''}`)
}

/** A failure with whose move it is and the command that leads on. */
export const failureLine = (
  { message, reason }: FailureNote,
  { acts, next }: { acts?: string | undefined; next?: string | undefined },
): string => `${message} [${reason}; acts: ${acts}; next: ${next}]`

export const pauseLine = ({ by, at, reason }: Pause): string => `paused by ${by} since ${at}: ${reason}`

export const streamHead = [
  'stream',
  'status',
  'read',
  'loaded',
  'unchanged',
  'dead letters',
  'deleted',
  'rows/s',
  'requests',
  'time',
] as const

/** One row a stream of a run. */
export function streamRow(row: StreamRunRow): (string | number)[] {
  const ms = Date.parse(row.finishedAt ?? new Date().toISOString()) - Date.parse(row.startedAt)
  const rate = ms > 0 ? (row.read * 1000) / ms : 0
  return [row.stream, standing(row), row.read, row.loaded, row.unchanged, row.deadLetters, row.deleted, rate, row.requests, duration(ms)]
}
