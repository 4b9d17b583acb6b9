/** The status page: a view as HTML. No script, nothing from elsewhere; readable without style and without colour. */
import { chart, count } from './chart.js'
import { type Html, html, link } from './html.js'
import type { StatusView } from './view.js'

export const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--quiet:#57606a;--paper:#fff;--line:#d0d7de;--bar:#0b6e99;--bad:#b3261e;--wait:#8a5300;--good:#1a6b2f}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9aa6b2;--paper:#0d1117;--line:#30363d;--bar:#58a6d6;--bad:#ff8f87;--wait:#f0b35a;--good:#6fd38a}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;max-width:78rem;padding:1rem 1.5rem 3rem}
a{color:inherit}h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2.2rem 0 .4rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:1.4rem 0 .3rem}
p{margin:.3rem 0}.quiet{color:var(--quiet)}nav a{margin-right:1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet)}th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.n{text-align:right}th[scope=row]{font-weight:600}.bad{color:var(--bad)}.wait{color:var(--wait)}.good{color:var(--good)}
.trouble td{border-bottom:1px solid var(--line);padding-left:1rem}.head{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:end;justify-content:space-between}
svg .bar{fill:var(--bar)}svg .none{fill:var(--line)}svg .mark{stroke:var(--bad);stroke-width:2;fill:none}code{font-size:.92em}
.notice{border-left:4px solid var(--wait);padding:.4rem .8rem}
`

/** @param notice said above everything: that what is shown is old, and why */
export function page(view: StatusView, notice?: string): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Weir: status</title><style>${{ html: style }}</style></head>
<body>
<header><h1>Weir</h1>
<p class="quiet">As of <time datetime="${view.at}">${moment(view.at)}</time>. <a href="/">Reload</a> · <a href="/status.json">the same as JSON</a>${view.temporalUi !== undefined && html` · ${link('Temporal UI', view.temporalUi)}`}</p>
<nav aria-label="Sections"><a href="#syncs">Syncs</a><a href="#runs">Runs</a><a href="#waiting">Waiting for people</a><a href="#letters">Dead letters</a><a href="#backfills">Backfills</a><a href="#budgets">Budgets</a></nav>
${notice !== undefined && html`<p class="notice" role="status">${notice}</p>`}</header>
<main>${[syncs(view), runs(view), pending(view), letters(view), backfills(view), budgets(view)]}</main>
</body></html>`.html
}

export function failurePage(message: string): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Weir: status</title><style>${{ html: style }}</style></head>
<body><main><h1>Weir</h1><p class="notice" role="alert">The status cannot be shown: ${message}</p><p><a href="/">Try again</a></p></main></body></html>`
    .html
}

const section = (id: string, title: string, content: Html | readonly Html[]): Html =>
  html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>`

/** @param heads column heads; those that begin with # are numbers */
function table(caption: string, heads: readonly string[], rows: readonly Html[]): Html {
  const head = heads.map((one) => html`<th scope="col"${one.startsWith('#') && { html: ' class="n"' }}>${one.replace('#', '')}</th>`)
  return html`<div class="wide" tabindex="0" role="group" aria-label="${caption}"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`
}
const cell = (content: Html | string): Html => html`<td>${content}</td>`
const numeric = (value: number): Html => html`<td class="n">${count(value)}</td>`
const trouble = (text: string | undefined, columns: number): Html =>
  html`${text !== undefined && html`<tr class="trouble"><td colspan="${columns}">${text}</td></tr>`}`

function syncs({ syncs }: StatusView): Html {
  if (syncs.length === 0) return section('syncs', 'Syncs', html`<p>Nothing has run yet. Start a run: <code>weir sync</code></p>`)
  const parts = syncs.map(
    (one) => html`<article aria-labelledby="sync-${one.sync}"><div class="head"><div><h3 id="sync-${one.sync}">${one.sync}</h3>
<p class="quiet">${one.vendor !== undefined && `${one.connection} (${one.vendor}) into schema ${one.schema}. `}${
      one.lastCompletedSeconds === undefined ? 'No run of it has completed yet.' : `Last completed ${age(one.lastCompletedSeconds)} ago.`
    }</p></div><div>${chart(one.sync, one.days)}<p class="quiet">rows loaded a day, ${one.days.length} days</p></div></div>
${table(
  `Streams of ${one.sync}`,
  ['stream', 'newest run', 'last completed', 'complete up to', '#open slices', '#open dead letters'],
  one.streams.map(
    (stream) =>
      html`<tr><th scope="row">${link(stream.stream, stream.url)}</th>${cell(badge(stream.status, stream.deadLetters))}${cell(
        stream.lastCompletedAt === undefined ? 'never' : moment(stream.lastCompletedAt),
      )}${cell(
        stream.completeUpTo === undefined ? '–' : `${moment(stream.completeUpTo)} (${age(stream.behindSeconds ?? 0)} behind)`,
      )}${numeric(stream.openSlices)}${numeric(stream.openDeadLetters)}</tr>${trouble(stream.trouble, 6)}`,
  ),
)}</article>`,
  )
  return section('syncs', 'Syncs', parts)
}

function runs({ runs }: StatusView): Html {
  const rows = runs.map(
    (one) =>
      html`<tr><th scope="row">${link(one.run.slice(0, shownOfRun), one.url)}</th>${cell(one.sync)}${cell(one.kind)}${cell(badge(one.status, one.deadLetters))}${cell(
        moment(one.startedAt),
      )}${cell(`${age(one.seconds)}${one.finishedAt === undefined ? ' so far' : ''}`)}${[one.read, one.loaded, one.unchanged, one.deadLetters, one.requests].map(numeric)}</tr>${trouble(one.trouble, 11)}`,
  )
  const heads = ['run', 'sync', 'kind', 'status', 'started', 'took', '#read', '#loaded', '#unchanged', '#dead letters', '#requests']
  return section('runs', 'Last runs', rows.length === 0 ? html`<p>None yet.</p>` : table('The newest runs first', heads, rows))
}

function pending({ pending }: StatusView): Html {
  const rows = pending.map((one) => html`<tr><td>${one.what}</td>${cell(moment(one.since))}<td><code>${one.next}</code></td></tr>`)
  return section(
    'waiting',
    'Waiting for people',
    rows.length === 0 ? html`<p>Nothing.</p>` : table('Decisions that wait', ['what', 'since', 'to decide'], rows),
  )
}

function letters({ letters }: StatusView): Html {
  const rows = letters.map(
    (one) =>
      html`<tr><th scope="row">${one.reason}</th>${cell(`${one.sync}/${one.stream}`)}${numeric(one.letters)}${cell(moment(one.lastSeenAt))}<td><code>${one.next}</code></td></tr>`,
  )
  const heads = ['reason', 'stream', '#open', 'met last', 'to look at them']
  return section(
    'letters',
    'Dead letters',
    rows.length === 0 ? html`<p>None is open.</p>` : table('Open dead letters by reason', heads, rows),
  )
}

function backfills({ backfills }: StatusView): Html {
  const rows = backfills.map(
    (one) =>
      html`<tr><th scope="row">${link(one.id, one.url)}</th>${cell(one.sync)}${cell(one.streams.join(', '))}${cell(`${one.from.slice(0, 10)} – ${one.to.slice(0, 10)}`)}${cell(
        badge(one.status, one.deadLetters),
      )}${cell(`${count(one.slices.done)} of ${count(one.slices.total)} slices`)}${[one.read, one.loaded, one.deadLetters].map(numeric)}${cell(one.endsAt === undefined ? '–' : moment(one.endsAt))}</tr>${trouble(one.failure?.message, 10)}`,
  )
  const heads = ['backfill', 'sync', 'streams', 'range', 'status', 'done', '#read', '#loaded', '#dead letters', 'through at about']
  return section('backfills', 'Backfills', rows.length === 0 ? html`<p>None.</p>` : table('The newest first', heads, rows))
}

function budgets({ budgets }: StatusView): Html {
  const rows = budgets.map((one) => {
    const used = one.windows.map(
      ({ perMs, used, most }) => `${count(used)}${most === undefined ? '' : ` of ${count(most)}`} in ${age(perMs / 1_000)}`,
    )
    return html`<tr><th scope="row">${one.vendor}</th>${cell(one.account)}${cell(one.budget)}${cell(used.join('; ') || 'nothing lately')}${numeric(one.underWay)}${cell(
      one.pausedUntil === undefined ? 'no' : html`<span class="wait">until ${moment(one.pausedUntil)}</span>`,
    )}</tr>`
  })
  const heads = ['vendor', 'account (fingerprint)', 'budget', 'requests that count now', '#under way', 'vendor said to wait']
  return section(
    'budgets',
    'Budgets',
    rows.length === 0 ? html`<p>No vendor was asked lately.</p>` : table('What accounts have spent', heads, rows),
  )
}

/** Ids of runs begin with the time; so much of one tells it from its neighbours, and finds it: `weir runs show`. */
const shownOfRun = 13

const classes: Record<string, string> = {
  completed: 'good',
  failed: 'bad',
  partial: 'bad',
  completed_with_dead_letters: 'wait',
  waiting: 'wait',
  paused: 'wait',
}
/** The word says it; the colour only helps. */
const badge = (status: string, deadLetters = 0): Html =>
  html`<span class="${classes[status] ?? ''}">${status === 'completed_with_dead_letters' ? `completed with ${count(deadLetters)} dead letters` : status}</span>`

/** 2026-11-27T12:30:00.000Z → 2026-11-27 12:30 UTC */
const moment = (instant: string): string => `${instant.slice(0, 16).replace('T', ' ')} UTC`

/** Seconds as people say them: 45 s, 12 min, 3 h, 5 d. */
function age(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}
