import { checkName, type QualityCheck } from '../src/core/quality.js'
import type { QualityResult } from '../src/warehouse/driver.js'
import type { Printer } from './print.js'

/** `profiles not_null(email)` */
const nameOf = ({ stream, check, severity, parameters }: QualityResult) =>
  `${stream} ${checkName({ check, severity, ...parameters } as QualityCheck)}`

export const isBad = ({ status }: QualityResult) => status === 'fail' || status === 'error'

/** Key values of rows that fail: `id 7, id 9`. */
const keysText = (samples: QualityResult['samples']) =>
  samples
    .map((sample) =>
      Object.entries(sample)
        .map(([column, value]) => `${column} ${value}`)
        .join(' '),
    )
    .join(', ')

/** The checks that did not pass; one line when all did, none when there are none. */
export function printChecks(results: readonly QualityResult[], printer: Printer): void {
  const bad = results.filter(isBad)
  if (results.length === 0) return
  printer.line(
    `\nquality: ${bad.length === 0 ? `${results.length} checks, none failed` : `${bad.length} of ${results.length} checks did not pass`}`,
  )
  for (const result of bad) {
    const rows = result.samples.length === 0 ? '' : ` For example ${keysText(result.samples)}.`
    printer.line(`  ${nameOf(result)}: ${result.message}${rows} [${result.severity}]`)
  }
}

/** The same in short, for a table of streams. */
export function checksText(results: readonly QualityResult[]): string {
  const bad = results.filter(isBad).length
  if (results.length === 0) return ''
  return bad === 0 ? `${results.length} good` : `${bad} of ${results.length} bad`
}
