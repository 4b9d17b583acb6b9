/** The `quality:` lists: which checks there are, and what of them can be judged before anything is asked. */
import * as z from 'zod'
import { type CheckedColumn, columnNamed, columnsOf, type QualityCheck, type Severity, unfit } from '../core/quality.js'
import { nearOrAll, shown } from './errors.js'
import { complain, type Judged, parseAt } from './issues.js'
import { aDuration, keys, text } from './schema.js'
import { find, keysOf, type Path } from './tree.js'
import { percent } from './units.js'
import type { VendorStream } from './vendors.js'

const listOf = <T extends z.ZodType>(type: T) => z.array(type).refine((items) => items.length > 0, 'the list is empty')
const column = text('the name of a field or column').meta({ kind: 'field or column' })
const columns = z
  .union([column, listOf(column)], { error: 'expected a field, or a list of fields' })
  .transform((given) => [given].flat())
  .meta({ kind: 'field, or list of fields' })
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'expected a text, a number, true or false' }).transform(String)
const bound = z
  .union([z.number(), z.string()], { error: 'expected a number, a date or an instant' })
  .transform(String)
  .meta({ kind: 'number, date or instant' })
const share = (most: number) =>
  z
    .union([z.number(), z.string()], { error: 'expected a percentage such as 20%' })
    .transform((value, context) => {
      const found = percent(value, most)
      if (found === undefined) context.addIssue({ code: 'custom', message: `expected a percentage from 0 to ${most}, such as 20%` })
      return found ?? z.NEVER
    })
    .meta({ kind: 'percentage' })

const severity = {
  severity: z
    .enum(['warn', 'block'])
    .meta({ kind: 'warn or block' })
    .optional()
    .describe('`warn` (default) names the check in the report; `block` fails the run of the stream, with reason `quality`. The rows stay.'),
}

const freshness = { max: aDuration(60_000, 'a duration of at least 1m, such as 2d') }

/** Checks that name no column: they may stand for all streams, in `defaults` and in a sync. */
const ofTables = {
  row_count_change: keys({
    max: share(999),
    against: z.enum(['same_weekday', 'last']).optional(),
  })
    .optional()
    .describe('`{ max: 30%, against: same_weekday }`: rows now against a week before, or against the `last` check. Default same_weekday.'),
  freshness: keys(freshness)
    .optional()
    .describe("`{ column: updated, max: 2d }`: the newest value may be no older. Default column: the stream's cursor."),
  reconcile: keys({ total: z.literal('count', { error: 'only "count" is supported' }), tolerance: share(100).optional() })
    .optional()
    .describe('`{ total: count, tolerance: 1% }`: rows against what the vendor itself reports, where it does. Default tolerance 1%.'),
}

/** An entry of a list in `defaults` or in a sync. */
export const tableCheck = keys({ ...ofTables, ...severity })

/** An entry of a stream's list. */
export const check = keys({
  unique: columns.optional().describe('No two rows have the same values; rows with an empty one do not count.'),
  not_null: columns.optional().describe('None of the fields is empty in any row.'),
  accepted_values: keys({ column, values: listOf(scalar) })
    .optional()
    .describe('`{ column: status, values: [draft, sent] }`: nothing else stands there; empty is allowed.'),
  range: keys({ column, min: bound.optional(), max: bound.optional() })
    .optional()
    .describe('`{ column: spend_micros, min: 0 }`: from `min` to `max`, both included; empty is allowed.'),
  null_share: keys({ column, max: share(100) })
    .optional()
    .describe('`{ column: email, max: 20% }`: at most so many rows without a value.'),
  ...ofTables,
  freshness: keys({ column: column.optional(), ...freshness })
    .optional()
    .describe(ofTables.freshness.description ?? ''),
  ...severity,
})

type Given = z.output<typeof check>

export interface QualityInput {
  judged: Judged
  name: string
  stream: VendorStream
  mode: string
  /** Is only a part of the vendor's records read? */
  isPart: boolean
  /** Where lists may stand, outermost first; the last is the stream's own. */
  layers: readonly Path[]
}

/** The checks of one stream, and where they stand. A list stands for itself: it replaces those further out. */
export function compileQuality(input: QualityInput): { checks: QualityCheck[]; path: Path } | undefined {
  const { judged, layers } = input
  const lists = layers.map((layer) => [...layer, 'quality'])
  const given = lists.filter((path) => find(judged.tree, path) !== undefined)
  const path = given.at(-1)
  if (path === undefined) return undefined
  const isOwn = path === lists.at(-1)
  // those that are replaced are judged too: what is wrong is wrong
  for (const replaced of given.slice(0, -1)) entriesOf(judged, replaced, tableCheck)
  const checks = entriesOf(judged, path, isOwn ? check : tableCheck).flatMap(({ at, compiled }) => {
    const problem = problemOf(input, compiled)
    if (problem === undefined) return [compiled]
    // what stands for all streams is left out where it does not apply
    if (isOwn) complain(judged, [...at, compiled.check, ...(problem.at ?? [])], problem.message, problem.hint)
    return []
  })
  return { checks, path }
}

/** The checks of a model: of what its SQL yields, so that no vendor is asked and no cursor is known. */
export function compileModelQuality(judged: Judged, path: Path): QualityCheck[] {
  return entriesOf(judged, path, check).flatMap(({ at, compiled }) => {
    const [message, hint] =
      compiled.check === 'reconcile'
        ? ['the vendor reports no total of a model', 'leave "reconcile" out']
        : compiled.check === 'freshness' && compiled.column === undefined
          ? ['a model has no cursor to be fresh by', 'name a column']
          : []
    if (message === undefined) return [compiled]
    complain(judged, [...at, compiled.check], message, hint)
    return []
  })
}

function entriesOf(judged: Judged, path: Path, type: z.ZodType<Given>): { at: Path; compiled: QualityCheck }[] {
  const list = find(judged.tree, path)
  // one by one, so that a fault in an entry does not hide those of the next; what is no list is reported where it is parsed
  return (list?.kind === 'list' ? list.items : []).flatMap((_, index) => {
    const at = [...path, String(index)]
    const given = parseAt(type, judged, at)
    const compiled = given && checkOf(judged, at, given)
    return compiled === undefined ? [] : [{ at, compiled }]
  })
}

function checkOf(judged: Judged, path: Path, { severity: given, ...entry }: Given): QualityCheck | undefined {
  const names = keysOf(find(judged.tree, path)).filter((name) => name !== 'severity')
  if (names.length !== 1) {
    const hint = names.length === 0 ? `checks: ${Object.keys(check.shape).slice(0, -1).join(', ')}` : 'give each an entry of its own'
    complain(judged, path, names.length === 0 ? 'no check is named' : `${names.length} checks stand in one entry`, hint)
    return undefined
  }
  const level: { severity: Severity } = { severity: given ?? 'warn' }
  if (entry.unique) return { check: 'unique', columns: entry.unique, ...level }
  if (entry.not_null) return { check: 'not_null', columns: entry.not_null, ...level }
  if (entry.accepted_values) return { check: 'accepted_values', ...entry.accepted_values, ...level }
  if (entry.null_share) return { check: 'null_share', column: entry.null_share.column, maxPercent: entry.null_share.max, ...level }
  if (entry.range) return rangeOf(judged, [...path, 'range'], entry.range, level)
  if (entry.freshness) {
    const { column: named, max } = entry.freshness
    return { check: 'freshness', ...(named === undefined ? {} : { column: named }), maxMs: max, ...level }
  }
  if (entry.row_count_change) {
    const { max, against = 'same_weekday' } = entry.row_count_change
    return { check: 'row_count_change', maxPercent: max, against, ...level }
  }
  if (entry.reconcile) return { check: 'reconcile', total: 'count', tolerancePercent: entry.reconcile.tolerance ?? 1, ...level }
  return undefined
}

function rangeOf(
  judged: Judged,
  path: Path,
  { column: of, min, max }: NonNullable<Given['range']>,
  level: { severity: Severity },
): QualityCheck | undefined {
  if (min === undefined && max === undefined) {
    complain(judged, path, 'a range has "min", "max" or both')
    return undefined
  }
  if (min !== undefined && max !== undefined && Number(min) > Number(max)) {
    complain(judged, [...path, 'min'], `the range is empty: ${shown(min)} is more than ${shown(max)}`)
    return undefined
  }
  return { check: 'range', column: of, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }), ...level }
}

interface Problem {
  /** Where below the check. */
  at?: Path
  message: string
  hint?: string
}

/** Why a stream cannot be checked so, as far as it is known without asking the vendor. */
function problemOf({ name, stream, mode, isPart }: QualityInput, one: QualityCheck): Problem | undefined {
  if (one.check === 'reconcile') return unreconcilable(name, stream, mode, isPart)
  if (one.check === 'freshness' && one.column === undefined && !stream.hasCursor)
    return { message: `stream ${shown(name)} has no cursor to be fresh by`, hint: 'name a column' }
  for (const [index, named] of columnsOf(one).entries()) {
    const problem = columnProblem(name, stream, one, named)
    if (problem) return { ...problem, at: ['columns' in one ? String(index) : 'column'] }
  }
  return undefined
}

function unreconcilable(name: string, stream: VendorStream, mode: string, isPart: boolean): Problem | undefined {
  if (!stream.hasTotal) return { message: `the vendor reports no total of stream ${shown(name)}`, hint: 'leave "reconcile" out' }
  if (mode === 'append')
    return { message: 'mode append keeps every version of a record: its rows are not the records that the vendor counts' }
  if (isPart) return { message: 'with "start" only a part of the records is read, and the vendor counts them all' }
  return undefined
}

function columnProblem(name: string, { columns: known, discovers }: VendorStream, one: QualityCheck, named: string): Problem | undefined {
  if (known === undefined) return undefined
  const found: CheckedColumn | undefined = columnNamed(known, named)
  if (found) {
    const why = unfit(one, found.type)
    return why === undefined ? undefined : { message: `${shown(named)} cannot be checked so: ${why}` }
  }
  // A value of another type than declared stands in a variant column: `<field>__<type>`.
  const isVariant = known.some(({ field, name: of }) => named.startsWith(`${field}__`) || named.startsWith(`${of}__`))
  if (discovers || isVariant) return undefined
  return {
    message: `stream ${shown(name)} has no field ${shown(named)}`,
    hint: nearOrAll(
      named,
      known.map(({ field }) => field),
      'fields',
    ),
  }
}
