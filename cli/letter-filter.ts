import { Option } from 'commander'
import { duration, instant } from '../src/config/units.js'
import type { LetterFilter, LetterKind, LetterStatus } from '../src/core/activities.js'
import { Failure, reasons } from '../src/core/failure.js'

/** The words by which dead letters are chosen; a sync's name may stand before them. */
export interface LetterOptions {
  stream?: string
  kind?: LetterKind
  reason?: string
  run?: string
  since?: string
  id?: string[]
}

export const letterOptions = (): Option[] => [
  new Option('--stream <name>', 'only of this stream'),
  new Option('--kind <kind>', 'only of this kind').choices(['record', 'slice'] satisfies LetterKind[]),
  new Option('--reason <reason>', 'only with this reason').choices(Object.keys(reasons)),
  new Option('--run <id>', 'only those that this run met last'),
  new Option('--since <when>', 'only those met since: 2h, 7d, or a date'),
  new Option('--id <id...>', 'only these'),
]

export const statusOption = (): Option =>
  new Option('--status <status>', 'only of this status')
    .choices(['open', 'replayed', 'superseded', 'discarded'] satisfies LetterStatus[])
    .default('open')

/** @throws Failure `config` for what is no id and no time */
export function letterFilter(options: LetterOptions, sync: string | undefined, now = new Date()): LetterFilter {
  const { stream, kind, reason, run, since, id } = options
  for (const one of id ?? []) letterId(one)
  return {
    ...(id ? { ids: id } : {}),
    ...(sync ? { sync } : {}),
    ...(stream ? { stream } : {}),
    ...(kind ? { kind } : {}),
    ...(reason ? { reason } : {}),
    ...(run ? { run } : {}),
    ...(since ? { since: sinceOf(since, now) } : {}),
  }
}

/** @throws Failure `config` */
export function letterId(text: string): string {
  if (!/^\d{1,18}$/.test(text))
    throw new Failure('config', `"${text}" is not the id of a dead letter: a number that \`weir dlq list\` shows.`)
  return text
}

function sinceOf(text: string, now: Date): string {
  const ago = duration(text)
  const at = ago === undefined ? instant(text, 'UTC') : new Date(now.getTime() - ago).toISOString()
  if (at === undefined)
    throw new Failure('config', `--since: expected a duration such as 7d, or a date such as 2026-01-31, found "${text}".`)
  return at
}
