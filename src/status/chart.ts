import { type Html, html } from './html.js'

export interface Bar {
  /** 2026-11-27 */
  day: string
  rows: number
  failed: number
}

const width = 10
const gap = 3
const height = 44

/**
 * Rows per day as bars, the tallest as high as the chart; a day with failed runs has a mark above its bar, so colour alone says nothing. The
 * table of runs holds the same numbers for whoever does not see it.
 */
export function chart(sync: string, bars: readonly Bar[]): Html {
  const most = Math.max(1, ...bars.map(({ rows }) => rows))
  const total = bars.reduce((sum, { rows }) => sum + rows, 0)
  const failed = bars.reduce((sum, one) => sum + one.failed, 0)
  const says = `${sync}: ${count(total)} rows loaded in ${bars.length} days, at most ${count(most)} on one${failed > 0 ? `; ${failed} runs failed` : ''}`
  const wide = bars.length * (width + gap)
  return html`<svg role="img" aria-label="${says}" width="${wide}" height="${height + 12}" viewBox="0 0 ${wide} ${height + 12}">${bars.map(
    ({ day, rows, failed }, i) => {
      const tall = rows === 0 ? 1 : Math.max(2, Math.round((rows / most) * height))
      const x = i * (width + gap)
      return html`<g><title>${day}: ${count(rows)} rows${failed > 0 ? `, ${failed} runs failed` : ''}</title><rect class="${rows === 0 ? 'none' : 'bar'}" x="${x}" y="${height + 12 - tall}" width="${width}" height="${tall}"></rect>${
        failed > 0 && html`<path class="mark" d="M${x + 1} ${height + 3 - tall}l8 8m0 -8l-8 8"></path>`
      }</g>`
    },
  )}</svg>`
}

/** 1234567 → 1,234,567 */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US')
