import type { FailureNote, QualityReceipt } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { asFailure } from '../core/failure.js'
import { checkName, type QualityCheck } from '../core/quality.js'
import type { Http, Stream } from '../core/types.js'
import { type Planned, planChecks, shownKey } from '../quality/plan.js'
import { type Before, errorVerdict, type Observed, type Verdict, verdict } from '../quality/verdict.js'
import type { Measured, QualityResult, StreamRef, Warehouse } from '../warehouse/driver.js'
import { tableSpec } from './table-spec.js'

export interface CheckQualityInput {
  warehouse: Warehouse
  http: Http
  definition: Definition
  stream: Stream
  run: string
  now: Date
  signal: AbortSignal
  redact: (text: string) => string
  /** What the one scan of the table may take; checks that are not done by then are `error`. Default five minutes. */
  timeoutMs?: number
}

type Ref = StreamRef & { run: string }

const scanMs = 5 * 60_000
const hourMs = 3_600_000
const weekMs = 7 * 24 * hourMs
/** A run that started a little earlier or later a week ago is still that one. */
const weekdaySlackMs = 6 * hourMs

/**
 * Checks the whole table of a stream whose run is settled, and records what came out; one that does not pass and blocks fails
 * that run. The first results of a run stand: a second call answers with them.
 */
export async function checkQuality(input: CheckQualityInput): Promise<QualityReceipt> {
  const { warehouse, definition, stream, run } = input
  const ref = { sync: definition.sync, stream: stream.name, run }
  const earlier = await warehouse.quality.results(run, stream.name)
  if (earlier.length > 0) return receiptOf(ref, earlier)
  const results = await resultsOf(input, ref)
  await warehouse.quality.record(ref, results, failureOf(ref, results))
  return receiptOf(ref, await warehouse.quality.results(run, stream.name))
}

async function resultsOf(input: CheckQualityInput, ref: Ref): Promise<QualityResult[]> {
  const { warehouse, definition, stream, now, timeoutMs = scanMs } = input
  const spec = tableSpec(definition, stream)
  const columns = await warehouse.quality.columns(spec)
  const planned = planChecks(definition.streams[stream.name]?.quality ?? [], { columns, cursor: spec.cursor }, now)
  const measures = planned.flatMap(({ measure }) => measure ?? [])
  const measured = await warehouse.quality.measure({ spec, measures, shown: shownKey(spec.key, columns), timeoutMs })
  const judge = async ({ check, measure, problem }: Planned): Promise<Verdict> => {
    if (problem !== undefined) return errorVerdict(problem, 'rows' in measured ? measured.rows : undefined)
    if ('problem' in measured) return errorVerdict(`The table could not be checked: ${measured.problem}.`)
    return observe(input, ref, check, measured.rows, measure && measured.values[measures.indexOf(measure)])
  }
  const results: QualityResult[] = []
  for (const one of planned) results.push(resultOf(ref, one.check, await judge(one), now))
  return results
}

async function observe(
  input: CheckQualityInput,
  ref: Ref,
  check: QualityCheck,
  rows: number,
  value: Measured['values'][number] | undefined,
): Promise<Verdict> {
  const { stream, http, signal, redact, now } = input
  const observed: Observed = { rows, value }
  if (check.check === 'row_count_change') observed.before = await countBefore(input, ref, check.against)
  if (check.check === 'reconcile') {
    try {
      observed.total = await stream.total?.(http)
    } catch (error) {
      signal.throwIfAborted()
      return errorVerdict(`The vendor could not be asked for its total: ${redact(asFailure(error).message)}`, rows)
    }
  }
  return verdict(check, observed, now)
}

/** The count of a week ago where there is one, else the last. */
export async function countBefore(
  { warehouse, now }: Pick<CheckQualityInput, 'warehouse' | 'now'>,
  ref: Ref,
  against: 'same_weekday' | 'last',
): Promise<Before | undefined> {
  if (against === 'same_weekday') {
    const near = new Date(now.getTime() - weekMs)
    const window = { from: new Date(near.getTime() - weekdaySlackMs), to: new Date(near.getTime() + weekdaySlackMs) }
    const found = await warehouse.quality.rowsBefore(ref, { ...window, near })
    if (found) return { ...found, isFallback: false }
  }
  const last = await warehouse.quality.rowsBefore(ref, { from: new Date(0), to: now, near: now })
  return last && { ...last, isFallback: true }
}

function resultOf(ref: Ref, { check, severity, ...parameters }: QualityCheck, found: Verdict, now: Date): QualityResult {
  return { ...ref, check, severity, parameters, ...found, checkedAt: now.toISOString() }
}

const isBad = ({ status }: QualityResult) => status === 'fail' || status === 'error'
const nameOf = ({ check, severity, parameters }: QualityResult) => checkName({ check, severity, ...parameters } as QualityCheck)

/** The first check that blocks, whole, and the others by name. */
function failureOf({ sync, stream }: StreamRef, results: readonly QualityResult[]): FailureNote | undefined {
  const [first, ...others] = results.filter((result) => isBad(result) && result.severity === 'block')
  if (first === undefined) return undefined
  const more = others.length === 0 ? '' : ` Also: ${others.map(nameOf).join(', ')}.`
  const message = `Check ${nameOf(first)} of ${sync}/${stream} did not pass: ${first.message}${more} The rows are loaded; what depends on the table should wait. See _weir.quality_results.`
  return { reason: 'quality', message }
}

function receiptOf(ref: StreamRef, results: readonly QualityResult[]): QualityReceipt {
  const failure = failureOf(ref, results)
  return { failedChecks: results.filter(isBad).map(nameOf), ...(failure ? { failure } : {}) }
}
