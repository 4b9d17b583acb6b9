/** Is what a push is made from fit to go out: how old it is, and what its checks say. */
import type { AudienceDefinition, Dependency, ModelDefinition } from '../../core/audience.js'
import { completeAt, spanText } from '../../core/freshness.js'
import { pushId } from '../../core/push.js'
import { checkName, type QualityCheck } from '../../core/quality.js'
import { planChecks, shownKey } from '../../quality/plan.js'
import { errorVerdict, type Observed, verdict } from '../../quality/verdict.js'
import type { StreamFacts } from '../../warehouse/contract/alerts.js'
import type { QualityResult, Warehouse } from '../../warehouse/driver.js'
import { countBefore } from '../check-quality.js'

export interface Fitness {
  /** Why nothing may go out, whatever the gates say. */
  holds: string[]
  /** What people should know all the same. */
  notes: string[]
}

export interface FitnessInput {
  warehouse: Warehouse
  definition: AudienceDefinition
  now: Date
  /** The push that the results belong to; without one none are kept. */
  run?: string
}

/** What the one scan of a model may take; checks that are not done by then hold a push where they block. */
const scanMs = 5 * 60_000

export async function fitnessOf(input: FitnessInput): Promise<Fitness> {
  const fitness: Fitness = { holds: [], notes: [] }
  for (const one of input.definition.dependsOn ?? []) await judgeDependency(input, one, fitness)
  const { model, suppress } = input.definition
  const models = new Map([model, ...suppress.map((one) => one.model)].map((one) => [one.name, one]))
  for (const one of models.values()) if (one.quality) await judgeModel(input, one, one.quality, fitness)
  return fitness
}

async function judgeDependency({ warehouse, definition }: FitnessInput, of: Dependency, { holds, notes }: Fitness): Promise<void> {
  const { maxStaleness } = definition
  const isOld = (text: string) => (maxStaleness?.otherwise === 'use_last' ? notes.push(`${text}; it is pushed as it is`) : holds.push(text))
  const [watched] = await warehouse.alerts.watched(of.sync)
  if (!watched) {
    if (maxStaleness)
      isOld(`sync/${of.sync} is not applied and has not run for a week: how old its tables are is not known (max_staleness)`)
    return
  }
  const sync = await warehouse.definitions.get(watched.definition)
  const facts = await warehouse.alerts.facts(watched, sync)
  for (const stream of facts.streams.filter((one) => of.stream === undefined || one.stream === of.stream)) {
    const name = `sync/${of.sync}/${stream.stream}`
    const age = maxStaleness && ageText(stream, Date.parse(facts.now), maxStaleness.ageMs)
    if (age !== undefined) isOld(`${name} ${age}`)
    // Results of checks that are no longer asked for say nothing of now.
    if (!sync.streams[stream.stream]?.quality?.length) continue
    for (const { check, message } of stream.checks.filter(({ isBlocking }) => isBlocking))
      holds.push(`check ${check} of ${name} did not pass: ${message}`)
  }
}

/** Undefined where it is young enough. */
function ageText(stream: StreamFacts, now: number, allowedMs: number): string | undefined {
  const { firstRunAt: _, ...rest } = stream
  const at = completeAt(rest)
  const allowed = `${spanText(allowedMs)} are allowed (max_staleness)`
  if (at === undefined) return `was never complete; ${allowed}`
  const ageMs = now - Date.parse(at)
  return ageMs > allowedMs ? `is complete up to ${at}, which is ${spanText(ageMs)} ago; ${allowed}` : undefined
}

/** A model's checks are kept beside those of tables, under the audience's name. The first results of a push stand. */
async function judgeModel(
  input: FitnessInput,
  model: ModelDefinition,
  checks: readonly QualityCheck[],
  { holds, notes }: Fitness,
): Promise<void> {
  const { warehouse, definition, run } = input
  const ref = { sync: pushId(definition.audience), stream: model.name, run: run ?? '' }
  let results = run === undefined ? [] : await warehouse.quality.results(run, model.name)
  if (results.length === 0) {
    results = await resultsOf(input, model, checks, ref)
    if (run !== undefined) await warehouse.quality.record(ref, results)
  }
  for (const { check, severity, parameters, status, message } of results) {
    if (status !== 'fail' && status !== 'error') continue
    const text = `check ${checkName({ check, severity, ...parameters } as QualityCheck)} of model ${model.name} did not pass: ${message}`
    if (severity === 'block') holds.push(text)
    else notes.push(text)
  }
}

async function resultsOf(
  { warehouse, definition, now }: FitnessInput,
  model: ModelDefinition,
  checks: readonly QualityCheck[],
  ref: { sync: string; stream: string; run: string },
): Promise<QualityResult[]> {
  const columns = await warehouse.audiences.columns(definition, model)
  const planned = planChecks(checks, { columns }, now)
  const measures = planned.flatMap(({ measure }) => measure ?? [])
  const shown = shownKey([model.key], columns)
  const measured = await warehouse.quality.measure({ spec: { name: model.name, sql: model.sql }, measures, shown, timeoutMs: scanMs })
  const results: QualityResult[] = []
  for (const { check, measure, problem } of planned) {
    const { check: name, severity, ...parameters } = check
    const judged = async () => {
      if (problem !== undefined) return errorVerdict(problem, 'rows' in measured ? measured.rows : undefined)
      if ('problem' in measured) return errorVerdict(`The model could not be checked: ${measured.problem}.`)
      const observed: Observed = { rows: measured.rows, value: measure && measured.values[measures.indexOf(measure)] }
      if (check.check === 'row_count_change') observed.before = await countBefore({ warehouse, now }, ref, check.against)
      return verdict(check, observed, now)
    }
    results.push({ ...ref, check: name, severity, parameters, ...(await judged()), checkedAt: now.toISOString() })
  }
  return results
}
