import type { BackfillInput, StreamProgress } from '../src/core/backfill.js'
import { awaited, type WaitsFor } from '../src/core/failure.js'

/** What people see of a backfill while it runs. */
export interface Shown {
  input: BackfillInput
  streams: Map<string, StreamProgress>
  isPaused: boolean
  /** Who paused it, or let it go on. */
  by?: string | undefined
  /** Slices that wait: for what, and until when. */
  waiting: Map<string, { for: WaitsFor; until: string }>
  endsAt?: string | undefined
}

/** As Markdown, for the Temporal UI. */
export function describeBackfill({ input, streams, isPaused, by, waiting, endsAt }: Shown): string {
  const { id, sync, from, to } = input
  const [next] = [...waiting.values()].sort((a, b) => (a.until < b.until ? -1 : 1))
  const lines = [`**${sync}**: backfill ${id}, ${from} up to, not including, ${to}`, '']
  if (isPaused)
    lines.push(`Paused${by === undefined ? '' : ` by ${by}`}. Go on with \`weir backfill resume ${id}\`, or the Update \`resume\`.`, '')
  else if (next) lines.push(`Waiting for ${awaited(next.for)} until ${next.until}.`, '')
  lines.push('| stream | slices done | set aside | read | loaded | unchanged | dead letters |', '|---|--:|--:|--:|--:|--:|--:|')
  for (const stream of input.streams) {
    const known = streams.get(stream)
    const counts = known
      ? [`${known.done} of ${known.total}`, known.failed, known.read, known.loaded, known.unchanged, known.deadLetters]
      : ['not planned yet', '', '', '', '', '']
    lines.push(`| ${[stream, ...counts].join(' | ')} |`)
  }
  if (endsAt !== undefined && !isPaused) lines.push('', `At this pace it is done by ${endsAt.slice(0, 16)}Z.`)
  return lines.join('\n')
}
