import type { QualityCheck } from '../core/quality.js'
import type { Measured, QualityResult } from '../warehouse/driver.js'
import { discreet } from './plan.js'

/** An earlier count of the table's rows. */
export interface Before {
  rows: number
  checkedAt: string
  /** Is it the last one, since there is none of a week ago? */
  isFallback: boolean
}

/** All that was found for one check. */
export interface Observed {
  rows: number
  value?: Measured['values'][number] | undefined
  before?: Before | undefined
  total?: number | undefined
}

export type Verdict = Pick<QualityResult, 'status' | 'observed' | 'threshold' | 'unit' | 'rows' | 'failingRows' | 'samples' | 'message'>

/** A check that could not be made, and why. */
export const errorVerdict = (message: string, rows?: number): Verdict => ({ status: 'error', rows, samples: [], message })

/** From numbers to pass or fail. */
export function verdict(check: QualityCheck, observed: Observed, now: Date): Verdict {
  switch (check.check) {
    case 'unique':
      return ofRows(observed, 'repeat the values of another row')
    case 'not_null':
      return ofRows(observed, 'lack a value')
    case 'accepted_values':
      return ofRows(observed, 'hold another value')
    case 'range':
      return ofRows(observed, 'lie outside the range')
    case 'null_share':
      return nullShare(check.maxPercent, observed)
    case 'freshness':
      return freshness(check.maxMs, observed, now)
    case 'row_count_change':
      return rowCountChange(check, observed)
    case 'reconcile':
      return reconcile(check.tolerancePercent, observed)
  }
}

const failingOf = ({ value }: Observed) => (value && 'failing' in value ? value : { failing: 0, samples: [] })
const of = (part: number, rows: number, what: string) => `${part} of ${rows} rows ${what}.`

function ofRows(observed: Observed, what: string): Verdict {
  const { rows } = observed
  const { failing, samples } = failingOf(observed)
  const status = failing === 0 ? 'pass' : 'fail'
  const numbers = { observed: failing, threshold: 0, unit: 'rows', rows, failingRows: failing } as const
  return { status, ...numbers, samples: discreet(samples), message: of(failing, rows, what) }
}

function nullShare(max: number, observed: Observed): Verdict {
  const { rows } = observed
  const { failing, samples } = failingOf(observed)
  const share = rows === 0 ? 0 : (100 * failing) / rows
  const isGood = share <= max
  const message = `${of(failing, rows, 'lack a value')} That is ${percent(share)}, ${percent(max)} are allowed.`
  const numbers = { observed: share, threshold: max, unit: 'percent', rows, failingRows: failing } as const
  return { status: isGood ? 'pass' : 'fail', ...numbers, samples: isGood ? [] : discreet(samples), message }
}

function freshness(maxMs: number, { rows, value }: Observed, now: Date): Verdict {
  const threshold = maxMs / 1000
  const newest = value && 'newest' in value ? value.newest : undefined
  const base = { threshold, unit: 'seconds', rows, samples: [] } as const
  if (newest === undefined) return { ...base, status: 'fail', message: 'No row has a value that is not in the future.' }
  const age = (now.getTime() - newest.getTime()) / 1000
  const message = `The newest value is of ${newest.toISOString()}: ${span(age)} old, ${span(threshold)} are allowed.`
  return { ...base, status: age <= threshold ? 'pass' : 'fail', observed: age, message }
}

function rowCountChange({ maxPercent, against }: QualityCheck & { check: 'row_count_change' }, { rows, before }: Observed): Verdict {
  const base = { threshold: maxPercent, unit: 'percent', rows, samples: [] } as const
  if (before === undefined) return { ...base, status: 'recorded', message: `${rows} rows; there is no earlier check to compare with.` }
  const missing = against === 'same_weekday' && before.isFallback ? ' (the last check: there is none of a week before)' : ''
  const then = `${before.rows} at ${before.checkedAt}${missing}`
  if (before.rows === 0) return { ...base, status: 'recorded', message: `${rows} rows, ${then}: no change can be told in percent.` }
  const change = (100 * (rows - before.rows)) / before.rows
  const message = `${rows} rows, ${then}: ${change >= 0 ? '+' : ''}${percent(change)}, ${percent(maxPercent)} are allowed.`
  return { ...base, status: Math.abs(change) <= maxPercent ? 'pass' : 'fail', observed: change, message }
}

function reconcile(tolerance: number, { rows, total }: Observed): Verdict {
  if (total === undefined) return errorVerdict('The vendor reports no total this time.', rows)
  const difference = rows === total ? 0 : (100 * Math.abs(rows - total)) / Math.max(total, 1)
  const message = `${rows} rows, and the vendor counts ${total}: ${percent(difference)} apart, ${percent(tolerance)} are allowed.`
  const base = { observed: difference, threshold: tolerance, unit: 'percent', rows, samples: [], message } as const
  return { ...base, status: difference <= tolerance ? 'pass' : 'fail' }
}

const percent = (value: number) => `${Number(value.toFixed(2))} %`

/** Seconds in a person's words. */
function span(seconds: number): string {
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Number((seconds / 86_400).toFixed(1))} d`
}
