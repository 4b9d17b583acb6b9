/** The figures of a campaign, as Markdown. */
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Report } from './campaign.js'
import { workerKill } from './faults/worker-kill.js'
import type { Outcome } from './load.js'
import { heartbeatMs } from './world.js'

export function markdown({ seed, startedAt, modes, skipped, problems }: Report): string {
  const outcomes = modes.flatMap((mode) => mode.outcomes)
  const injected = outcomes.filter(isInjected)
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort()
  const seconds = modes.reduce((sum, mode) => sum + mode.seconds, 0)
  const lines = [
    '# Chaos report',
    '',
    `${startedAt.toISOString()}, seed ${seed}: ${injected.length} faults in ${(seconds / 60).toFixed(1)} minutes; ${problems.length === 0 ? 'everything held' : `${problems.length} things did not hold`}.`,
    '',
    `${cpus().length} cores, ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.version}; load average over the last quarter of an hour ${loadavg()[2]!.toFixed(1)}.`,
    '',
    'Each cell: survived / injected.',
    '',
    row(['fault', ...modes.map(({ mode }) => mode), 'to the next commit: median', 'worst']),
    row(['---', ...modes.map(() => '---:'), '---:', '---:']),
    ...kinds.map((kind) =>
      row([kind, ...modes.map((mode) => cell(mode.outcomes, kind)), ...times(outcomes.filter((one) => one.kind === kind))]),
    ),
    row(['**all**', ...modes.map((mode) => cell(mode.outcomes)), ...times(outcomes)]),
    '',
    `A worker killed: the next commit is to come within ${aimMs / 1_000} s, the heartbeat time-out and ten; ${lateOf(outcomes)}.`,
    '',
    row(['', ...modes.map(({ mode }) => mode)]),
    row(['---', ...modes.map(() => '---:')]),
    ...(
      [
        ['rows standing', (mode) => mode.verdict.standing],
        ['rows lost', (mode) => mode.verdict.lost],
        ['rows doubled', (mode) => mode.verdict.doubled],
        ['rows wrong', (mode) => mode.verdict.wrong],
        ['runs stuck', (mode) => mode.outcomes.filter(({ state }) => state === 'stuck').length],
        ['late commits refused', (mode) => mode.refused],
        ['started again by the harness (disk full)', (mode) => mode.restarts],
        ['pages asked of the vendor', (mode) => mode.pages],
        ['minutes', (mode) => (mode.seconds / 60).toFixed(1)],
      ] satisfies [string, (mode: Report['modes'][number]) => string | number][]
    ).map(([name, value]) => row([name, ...modes.map((mode) => String(value(mode)))])),
    '',
    ...skipped.map((what) => `Skipped: ${what}`),
    ...notInjected(outcomes),
    ...(problems.length === 0 ? [] : ['', '## What did not hold', '', ...problems.map((problem) => `- ${problem}`)]),
    ...modes.flatMap(({ mode, folder }) => (folder ? [`- logs of ${mode}: ${folder}/.weir`] : [])),
  ]
  return `${lines.join('\n').trim()}\n`
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const isInjected = ({ state }: Outcome) => state === 'survived' || state === 'stuck'

function cell(outcomes: readonly Outcome[], kind?: string): string {
  const these = outcomes.filter((one) => isInjected(one) && (kind === undefined || one.kind === kind))
  return these.length === 0 ? '' : `${these.filter(({ state }) => state === 'survived').length} / ${these.length}`
}

const aimMs = heartbeatMs + 10_000

function lateOf(outcomes: readonly Outcome[]): string {
  const kills = outcomes.filter(({ kind, state }) => kind === workerKill.name && state === 'survived')
  const late = kills.filter(({ progressMs = 0 }) => progressMs > aimMs)
  return `it did after ${kills.length - late.length} of ${kills.length}`
}

/** Median and worst, in seconds. */
function times(outcomes: readonly Outcome[]): string[] {
  const sorted = outcomes
    .filter(({ state }) => state === 'survived')
    .map(({ progressMs }) => progressMs ?? 0)
    .sort((a, b) => a - b)
  return [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((ms) => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`))
}

function notInjected(outcomes: readonly Outcome[]): string[] {
  const why = new Map<string, number>()
  for (const { kind, state, detail } of outcomes) {
    if (isInjected({ kind, state } as Outcome)) continue
    const text = `${kind}: ${detail}`
    why.set(text, (why.get(text) ?? 0) + 1)
  }
  return [...why].map(([text, count]) => `Not injected (${count}): ${text}`)
}
