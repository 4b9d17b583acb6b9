/** Records: one, a page, many by id, and found by search. */
import type { Drift } from '../kit/drift.js'
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import { portalId } from './access.js'
import { invalid, notFound } from './errors.js'
import { iso, type ObjectRow } from './rows.js'
import { orderBy, readQuestion, testOf } from './search.js'
import type { HubspotStore } from './store.js'
import { type ObjectType, objectType } from './types.js'

export interface HubspotRecord {
  id: string
  properties: Record<string, string | null>
  createdAt: string
  updatedAt: string
  archived: boolean
  archivedAt?: string
  url?: string
  propertiesWithHistory?: Record<string, unknown[]>
  associations?: Record<string, unknown>
}

const limitMax = 100
const limitWithHistory = 50
/** Results of recent searches, so that a walk over pages filters and sorts once. */
const searchesKept = 40

export class Objects {
  private readonly found = new Map<string, readonly ObjectRow[]>()

  constructor(
    private readonly store: HubspotStore,
    private readonly drift: Drift,
    private readonly now: () => number,
  ) {}

  show(type: ObjectType, row: ObjectRow, asked: readonly string[]): HubspotRecord {
    const definitions = this.store.properties.get(type.name)
    const drifted = this.drift.apply('hubspot', type.name, row.id, { ...row.properties })
    const properties: Record<string, string | null> = {}
    // The id and the two dates come along, whatever was asked for.
    const names = asked.length === 0 ? type.standard : [...asked, 'createdate', type.modified, 'hs_object_id']
    for (const name of names) {
      const definition = definitions?.get(name)
      if (definition !== undefined && !definition.archived) properties[name] = text(drifted[name])
    }
    return {
      id: row.id,
      properties,
      createdAt: iso(row.createdMs),
      updatedAt: iso(row.updatedMs),
      archived: row.archivedMs !== null,
      ...(row.archivedMs === null ? {} : { archivedAt: iso(row.archivedMs) }),
      url: `https://app.hubspot.com/contacts/${portalId}/record/${type.objectTypeId}/${row.id}`,
    }
  }

  list(type: ObjectType, request: Request): Reply {
    const history = names(request, 'propertiesWithHistory')
    const limit = readLimit(request, history.length > 0 ? limitWithHistory : limitMax)
    const archived = request.query.get('archived') === 'true'
    const after = request.query.get('after')
    if (after !== null && !/^\d+$/.test(after)) throw invalid(`Invalid after: ${after}`)
    const { rows, more } = this.store.objects[type.name]
      .index('id', (row) => Number(row.id))
      // `after` names the first record of the next page.
      .walk({ low: after === null ? undefined : Number(after), limit: limit + 1, test: (row) => (row.archivedMs !== null) === archived })
    const page = rows.slice(0, limit)
    const next = rows[limit]
    const results = page.map((row) =>
      this.withMore(type, row, this.show(type, row, names(request, 'properties')), history, names(request, 'associations')),
    )
    return { status: 200, body: { results, ...(next === undefined && !more ? {} : { paging: this.paging(request, String(next?.id)) }) } }
  }

  get(type: ObjectType, id: string, request: Request): Reply {
    const row = this.find(type, id, request.query.get('idProperty'))
    const archived = request.query.get('archived') === 'true'
    if (row === undefined || (row.archivedMs !== null) !== archived) throw notFound()
    const record = this.show(type, row, names(request, 'properties'))
    return { status: 200, body: this.withMore(type, row, record, names(request, 'propertiesWithHistory'), names(request, 'associations')) }
  }

  /** Ids that are not there are reported beside the rest, with status 207. Answers come in no particular order. */
  batchRead(type: ObjectType, request: Request): Reply {
    const body = jsonObject(request)
    const inputs = Array.isArray(body?.inputs) ? (body.inputs as { id?: unknown }[]) : undefined
    if (body === undefined || inputs === undefined) throw invalid('Invalid input JSON: inputs is required.')
    const history = strings(body.propertiesWithHistory)
    const max = history.length > 0 ? limitWithHistory : limitMax
    if (inputs.length > max)
      throw invalid(
        `The maximum number of inputs supported in a batch request for property histories and records is ${max}. Given: ${inputs.length}.`,
      )
    const idProperty = typeof body.idProperty === 'string' ? body.idProperty : null
    const archived = request.query.get('archived') === 'true'
    const results: HubspotRecord[] = []
    const missing: string[] = []
    for (const id of new Set(inputs.map((input) => String(input.id)))) {
      const row = this.find(type, id, idProperty)
      if (row === undefined || (row.archivedMs !== null) !== archived) missing.push(id)
      else results.push(this.withMore(type, row, this.show(type, row, strings(body.properties)), history, []))
    }
    results.reverse()
    const at = iso(Date.now())
    const whole = { status: 'COMPLETE', startedAt: at, completedAt: at, results }
    if (missing.length === 0) return { status: 200, body: whole }
    const message = `Could not get some ${type.singular.toUpperCase()} objects, they may be deleted or not exist. Check that ids are valid.`
    return {
      status: 207,
      body: {
        ...whole,
        numErrors: 1,
        errors: [{ status: 'error', category: 'OBJECT_NOT_FOUND', message, context: { ids: missing }, errors: [], links: {} }],
      },
    }
  }

  search(type: ObjectType, request: Request): Reply {
    const definitions = this.store.properties.get(type.name) ?? new Map()
    const question = readQuestion(request, definitions)
    const index = this.store.searchable[type.name]
    const nowMs = this.now()
    const key = `${type.name} ${index.version(nowMs)} ${this.drift.list().length} ${JSON.stringify([question.groups, question.sort, question.query])}`
    let rows = this.found.get(key)
    if (rows === undefined) {
      const textOf = (row: ObjectRow, property: string) => row.properties[property] ?? null
      const associated = (row: ObjectRow, to: string) => {
        const other = objectType(to)
        return other === undefined ? [] : this.store.associations.of(type.name, row.id, other.name).map(({ toId }) => toId)
      }
      const test = testOf(question, definitions, textOf, associated)
      rows = [...index.rows(nowMs)].filter(test).sort(orderBy(question.sort, definitions.get(question.sort.property), textOf))
      this.found.set(key, rows)
      if (this.found.size > searchesKept) this.found.delete(this.found.keys().next().value as string)
    }
    const end = question.after + question.limit
    const results = rows.slice(question.after, end).map(({ ...row }) => {
      const { url: _, ...record } = this.show(type, row, question.properties)
      return record
    })
    return {
      status: 200,
      body: {
        total: rows.length,
        results,
        ...(end < rows.length ? { paging: { next: { after: String(end), link: `?after=${end}` } } } : {}),
      },
    }
  }

  paging(request: Request, after: string): { next: { after: string; link: string } } {
    const query = new URLSearchParams(request.query)
    query.set('after', after)
    return { next: { after, link: `${request.origin}${request.path}?${query}` } }
  }

  private find(type: ObjectType, id: string, idProperty: string | null): ObjectRow | undefined {
    const table = this.store.objects[type.name]
    if (idProperty === null || idProperty === 'hs_object_id') return table.get(id)
    const definition = this.store.properties.get(type.name)?.get(idProperty)
    if (!(type.name === 'contacts' && idProperty === 'email') && !definition?.unique)
      throw notFound(`No unique property ${idProperty} exists for ${type.name}.`)
    for (const row of table.values()) if (row.properties[idProperty]?.trim().toLowerCase() === id.trim().toLowerCase()) return row
    return undefined
  }

  private withMore(
    type: ObjectType,
    row: ObjectRow,
    record: HubspotRecord,
    history: readonly string[],
    associations: readonly string[],
  ): HubspotRecord {
    if (history.length > 0) {
      const known = history.filter((name) => this.store.properties.get(type.name)?.get(name)?.archived === false)
      record.propertiesWithHistory = Object.fromEntries(known.map((name) => [name, this.store.history.of(type.name, row.id, name)]))
    }
    for (const name of associations) {
      const to = objectType(name)
      const links = to === undefined ? [] : this.store.associations.of(type.name, row.id, to.name)
      if (to === undefined || links.length === 0) continue
      const word = `${type.singular}_to_${to.singular}`
      // A primary link is listed twice, once for each of its types.
      const results = links.flatMap(({ toId, primary }) =>
        primary
          ? [
              { id: toId, type: word },
              { id: toId, type: `${word}_unlabeled` },
            ]
          : [{ id: toId, type: word }],
      )
      record.associations = { ...record.associations, [to.name]: { results } }
    }
    return record
  }
}

/** A list that was sent with commas, or as a parameter repeated. */
export const names = (request: Request, parameter: string): string[] =>
  request.query
    .getAll(parameter)
    .flatMap((value) => value.split(','))
    .flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

/** Every value is text or null on this API, whatever its declared type. */
const text = (value: unknown): string | null => (value == null ? null : typeof value === 'string' ? value : JSON.stringify(value))

export function readLimit(request: Request, max: number, standard = 10): number {
  const given = request.query.get('limit')
  const limit = given === null ? standard : Number(given)
  if (!Number.isInteger(limit) || limit < 1 || limit > max)
    throw invalid(`Invalid limit: ${given}. The limit must be between 1 and ${max}.`)
  return request.halfPage ? Math.ceil(limit / 2) : limit
}
