/** Records made or changed by a property that tells them apart: a batch, all of it or what of it is right. */
import { jsonObject, Refused, type Reply, type Request } from '../kit/http.js'
import { portalId } from './access.js'
import { invalid, notFound, refusal } from './errors.js'
import type { Objects } from './objects.js'
import { iso, type ObjectRow } from './rows.js'
import type { HubspotStore } from './store.js'
import type { ObjectType } from './types.js'
import { problemsOf, type ValueProblem } from './values.js'

const inputsMax = 100

export interface UpsertSwitches {
  /** One bad row refuses the whole batch, trace ids or not: one reading of "partial upserts are not supported". */
  isAllOrNothing: boolean
  /** Partial results come with status 200 in the place of 207. */
  isPartialPlain: boolean
  /** Values of the id property whose rows are written, and named nowhere in the answer. */
  unnamed: ReadonlySet<string>
  /** What an administrator demands of new contacts; 2026-09 alone enforces it. */
  demanded: readonly string[]
}

export interface UpsertParts {
  store: HubspotStore
  objects: Objects
  switches: UpsertSwitches
  now: () => number
  /** The id of the next new record. */
  nextId: () => string
  onWritten: (type: ObjectType, id: string) => void
}

interface Input {
  id: string
  properties: Record<string, unknown>
  trace: string | undefined
}
interface Wrong {
  category: string
  message: string
}

export function upsertBatch(parts: UpsertParts, type: ObjectType, request: Request): Reply {
  const { store, objects, switches, now, nextId, onWritten } = parts
  const { inputs, idProperty } = read(store, type, request)
  const known = byValue(store, type, idProperty)
  demandUnique(inputs.map(({ id }) => known.get(norm(id))?.id ?? norm(id)))
  const traces = new Set(inputs.flatMap(({ trace }) => (trace === undefined ? [] : [trace])))
  const isMultiStatus = traces.size === inputs.length && !switches.isAllOrNothing
  const demanded = type.name === 'contacts' && request.path.includes('/2026-09/') ? switches.demanded : []
  const wrong = new Map(
    inputs.flatMap((input) => {
      const problem = problemOf(store, type, input, { idProperty, row: known.get(norm(input.id)), demanded })
      return problem ? [[input, problem] as const] : []
    }),
  )
  const [first] = wrong.values()
  if (first && !isMultiStatus) throw new Refused(refusal(first.category === 'CONFLICT' ? 409 : 400, first.category, first.message))
  const atMs = now()
  const results = inputs
    .filter((input) => !wrong.has(input))
    .map((input) => {
      const before = known.get(norm(input.id))
      const row = written(
        type,
        before ?? fresh(nextId(), atMs),
        { ...input.properties, [idProperty]: ownValue(before, idProperty, input.id) },
        atMs,
      )
      store.put(type.name, row, atMs)
      onWritten(type, row.id)
      const { url: _, ...shown } = objects.show(type, row, Object.keys(input.properties))
      return {
        input,
        shown: { ...shown, new: before === undefined, ...(input.trace === undefined ? {} : { objectWriteTraceId: input.trace }) },
      }
    })
  const at = iso(atMs)
  const named = results.filter(({ input }) => !switches.unnamed.has(input.id)).map(({ shown }) => shown)
  // In no order that says anything.
  const body = { status: 'COMPLETE', startedAt: at, completedAt: at, results: named.reverse() }
  if (wrong.size === 0) return { status: 200, body }
  const errors = [...wrong].map(([{ trace }, { category, message }]) => ({
    status: 'error',
    category,
    message,
    context: { objectWriteTraceId: [trace] },
  }))
  return { status: switches.isPartialPlain ? 200 : 207, body: { ...body, numErrors: errors.length, errors } }
}

function read(store: HubspotStore, type: ObjectType, request: Request): { inputs: Input[]; idProperty: string } {
  const given = jsonObject(request)?.inputs
  if (!Array.isArray(given) || given.length === 0) throw invalid('Invalid input JSON: inputs is required.')
  if (given.length > inputsMax)
    throw invalid(`The maximum number of inputs supported in a batch request is ${inputsMax}. Given: ${given.length}.`)
  const rows = given as { id?: unknown; idProperty?: unknown; properties?: Record<string, unknown>; objectWriteTraceId?: unknown }[]
  const by = new Set(rows.map(({ idProperty }) => String(idProperty ?? '')))
  const [idProperty = ''] = by
  if (by.size > 1) throw invalid('All inputs must use the same idProperty.')
  if (idProperty === '') throw invalid('idProperty is required for an upsert.')
  if (idProperty === 'hs_object_id')
    throw invalid(`Unable to perform update/upsert by non-unique ${type.objectTypeId} property hs_object_id in portal ID ${portalId}`)
  const isEmail = type.name === 'contacts' && idProperty === 'email'
  if (!isEmail && !store.properties.get(type.name)?.get(idProperty)?.unique)
    throw notFound(`No unique property ${idProperty} exists for ${type.name}.`)
  return {
    idProperty,
    inputs: rows.map(({ id, properties = {}, objectWriteTraceId: trace }) => ({
      id: String(id ?? ''),
      // null says nothing; an empty text clears.
      properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null)),
      trace: trace === undefined ? undefined : String(trace),
    })),
  }
}

const norm = (value: string) => value.trim().toLowerCase()

/** Records that stand, by what they are told apart by; contacts by their further addresses, too. */
function byValue(store: HubspotStore, type: ObjectType, property: string): Map<string, ObjectRow> {
  const known = new Map<string, ObjectRow>()
  for (const row of store.objects[type.name].values()) {
    if (row.archivedMs !== null) continue
    const further = property === 'email' ? (row.properties.hs_additional_emails ?? '').split(';') : []
    for (const value of [row.properties[property] ?? '', ...further]) if (value !== '') known.set(norm(value), row)
  }
  return known
}

/** Two inputs of one record refuse the whole batch, whatever else holds. */
function demandUnique(ids: readonly string[]): void {
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at)
  if (twice.length > 0)
    throw invalid(`Duplicate IDs found in batch input: [${twice.join(', ')}]. IDs must be unique`, { context: { ids: twice } })
}

interface Around {
  idProperty: string
  row: ObjectRow | undefined
  demanded: readonly string[]
}

function problemOf(
  store: HubspotStore,
  type: ObjectType,
  { id, properties }: Input,
  { idProperty, row, demanded }: Around,
): Wrong | undefined {
  const given = { ...properties, [idProperty]: properties[idProperty] ?? id }
  const wrong: ValueProblem[] = problemsOf(store.properties.get(type.name) ?? new Map(), given)
  if (wrong.length > 0)
    return {
      category: 'VALIDATION_ERROR',
      message: `Property values were not valid: ${JSON.stringify(wrong.map((one) => ({ ...one, portalId })))}`,
    }
  const missing = row ? [] : demanded.filter((name) => (given[name] ?? '') === '')
  if (missing.length > 0)
    return {
      category: 'VALIDATION_ERROR',
      message: `Error creating ${type.name}. Some required properties were not set: ${missing.join(', ')}`,
    }
  for (const [name, value] of Object.entries(given)) {
    const isEmail = type.name === 'contacts' && name === 'email'
    if (name === idProperty || value === '' || (!isEmail && !store.properties.get(type.name)?.get(name)?.unique)) continue
    const holder = byValue(store, type, name).get(norm(String(value)))
    if (holder === undefined || holder.id === row?.id) continue
    return isEmail
      ? { category: 'CONFLICT', message: `Contact already exists. Existing ID: ${holder.id}` }
      : { category: 'VALIDATION_ERROR', message: `${holder.id} already has that value` }
  }
  return undefined
}

/** Who was found by a further address keeps the first one. */
const ownValue = (before: ObjectRow | undefined, property: string, id: string) => before?.properties[property] ?? id.trim()

const fresh = (id: string, atMs: number): ObjectRow => ({
  id,
  properties: { hs_object_id: id, createdate: iso(atMs) },
  createdMs: atMs,
  updatedMs: atMs,
  archivedMs: null,
})

function written(type: ObjectType, before: ObjectRow, given: Record<string, unknown>, atMs: number): ObjectRow {
  const updatedMs = Math.max(before.updatedMs, atMs)
  const set = Object.entries(given).map(([name, value]) => [
    name,
    value === '' ? null : name === 'email' ? norm(String(value)) : String(value),
  ])
  return { ...before, updatedMs, properties: { ...before.properties, ...Object.fromEntries(set), [type.modified]: iso(updatedMs) } }
}
