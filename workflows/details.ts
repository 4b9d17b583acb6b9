/** What the Temporal UI shows of a run under "Current details", as Markdown: how far it is, what it waits for, what failed and what to do. */
import type { FailureNote, RunStatus } from '../src/core/activities.js'
import { wayOut } from '../src/core/failure.js'
import type { Pause } from '../src/core/pause.js'
import type { Counts } from '../src/core/types.js'

/** 1234567 → 1,234,567. Written out, since workflows must give the same text on every machine. */
const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** 2026-11-27T12:30:00.000Z → 2026-11-27 12:30:00 UTC */
export const moment = (instant: string): string => `${instant.slice(0, 19).replace('T', ' ')} UTC`

export const statusWords = (status: RunStatus, deadLetters = 0): string =>
  status === 'completed_with_dead_letters' ? `completed with ${number(deadLetters)} dead letters` : status

export const countHead = ['read', 'loaded', 'unchanged', 'dead letters']
export const countCells = ({ read, loaded, unchanged, deadLetters }: Counts): string[] => [read, loaded, unchanged, deadLetters].map(number)

/** A table whose first columns are texts, the others numbers. */
export function table(texts: readonly string[], numbers: readonly string[], rows: readonly (readonly string[])[]): string {
  // The UI sets cells without any space between them.
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => `${cell}&nbsp;&nbsp;`).join(' | ')} |`
  const rule = `|${[...texts.map(() => '---'), ...numbers.map(() => '--:')].join('|')}|`
  return [line([...texts, ...numbers]), rule, ...rows.map(line)].join('\n')
}

/** @param what is paused and finishes, and how to go on from a terminal */
export function pauseText({ by, reason, at }: Pause, what: { finishes: string; resume: string }): string {
  return `**Paused** by ${by} since ${moment(at)}: ${reason}. ${what.finishes} To go on: \`${what.resume}\`, or send the Update \`resume\` with \`{"by": "your name"}\`.`
}

export function failureText(failure: FailureNote, where: { sync: string; run: string; stream?: string }): string {
  const { who, next } = wayOut(failure.reason, where)
  const name = where.stream === undefined ? '' : `**${where.stream}**: `
  return `- ${name}${failure.message} Reason \`${failure.reason}\`; whose move: ${who}. Next: \`${next}\``
}
