/** Which records belong together. Each direction has its own type ids; a primary link carries two types. */
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import { invalid } from './errors.js'
import { readLimit } from './objects.js'
import { iso } from './rows.js'
import type { ObjectType, TypeName } from './types.js'

export interface Link {
  toId: string
  primary: boolean
}

interface AssociationType {
  category: 'HUBSPOT_DEFINED' | 'USER_DEFINED'
  typeId: number
  label: string | null
}

/** Plain and primary type id of each direction, from the vendor's guide. */
const typeIds: Record<string, readonly [plain: number, primary?: number]> = {
  'contacts companies': [279, 1],
  'companies contacts': [280, 2],
  'deals contacts': [3],
  'contacts deals': [4],
  'deals companies': [341, 5],
  'companies deals': [342, 6],
  'contacts tickets': [15],
  'tickets contacts': [16],
  'tickets companies': [339, 26],
  'companies tickets': [340, 25],
  'deals line_items': [19],
  'line_items deals': [20],
  'deals quotes': [63],
  'quotes deals': [64],
  'calls contacts': [194],
  'contacts calls': [193],
  'calls deals': [206],
  'deals calls': [205],
  'emails contacts': [198],
  'contacts emails': [197],
  'emails deals': [210],
  'deals emails': [209],
  'meetings contacts': [200],
  'contacts meetings': [199],
  'meetings deals': [212],
  'deals meetings': [211],
  'meetings companies': [188],
  'companies meetings': [187],
  'notes contacts': [202],
  'contacts notes': [201],
  'notes tickets': [228],
  'tickets notes': [227],
  'tasks contacts': [204],
  'contacts tasks': [203],
  'tasks tickets': [230],
  'tickets tasks': [229],
}
/** The account's own types: their ids are counted apart from the vendor's, so that the same number may mean both. */
const ownTypes: Record<string, AssociationType> = {
  'p999_machines companies': { category: 'USER_DEFINED', typeId: 3, label: 'Installed at' },
  'companies p999_machines': { category: 'USER_DEFINED', typeId: 4, label: 'Runs' },
}

export class Associations {
  private readonly links = new Map<string, Map<string, Link[]>>()

  link(from: TypeName, fromId: string, to: TypeName, toId: string, primary: boolean): void {
    this.one(from, fromId, to, { toId, primary })
    this.one(to, toId, from, { toId: fromId, primary })
  }

  of(from: TypeName, fromId: string, to: TypeName): readonly Link[] {
    return this.links.get(`${from} ${to}`)?.get(fromId) ?? []
  }

  types(from: TypeName, to: TypeName, { primary }: Link): AssociationType[] {
    const own = ownTypes[`${from} ${to}`]
    if (own !== undefined) return [own]
    const [plain, first] = typeIds[`${from} ${to}`] ?? [0]
    const types: AssociationType[] = [{ category: 'HUBSPOT_DEFINED', typeId: plain, label: null }]
    if (primary && first !== undefined) types.push({ category: 'HUBSPOT_DEFINED', typeId: first, label: 'Primary' })
    return types
  }

  labels(from: TypeName, to: TypeName): AssociationType[] {
    return this.types(from, to, { toId: '', primary: true })
  }

  /** A record that was erased has no partners left, and is nobody's. */
  forget(type: TypeName, id: string): void {
    for (const [pair, table] of this.links) {
      const [from, to] = pair.split(' ')
      if (from === type) table.delete(id)
      if (to !== type) continue
      for (const [other, links] of table)
        if (links.some(({ toId }) => toId === id))
          table.set(
            other,
            links.filter(({ toId }) => toId !== id),
          )
    }
  }

  private one(from: TypeName, fromId: string, to: TypeName, link: Link): void {
    const key = `${from} ${to}`
    let table = this.links.get(key)
    if (table === undefined) {
      table = new Map()
      this.links.set(key, table)
    }
    const known = table.get(fromId)
    if (known === undefined) table.set(fromId, [link])
    else if (!known.some(({ toId }) => toId === link.toId)) known.push(link)
  }
}

const inputsMax = 1000

/** Records without a partner are reported as errors beside the rest; that is no failure. */
export function readAssociations(associations: Associations, { from, to }: { from: ObjectType; to: ObjectType }, request: Request): Reply {
  const inputs = jsonObject(request)?.inputs
  if (!Array.isArray(inputs)) throw invalid('Invalid input JSON: inputs is required.')
  if (inputs.length > inputsMax) throw invalid(`The maximum number of inputs is ${inputsMax}. Given: ${inputs.length}.`)
  const results: unknown[] = []
  const errors: unknown[] = []
  for (const { id } of inputs as { id: string }[]) {
    const links = associations.of(from.name, String(id), to.name)
    if (links.length === 0) {
      errors.push({
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
        message: `No ${to.singular} is associated with ${from.singular} ${id}.`,
        context: { fromObjectId: [String(id)], fromObjectType: [from.singular], toObjectType: [to.singular] },
      })
    } else
      results.push({
        from: { id: String(id) },
        to: links.map((link) => ({ toObjectId: link.toId, associationTypes: associations.types(from.name, to.name, link) })),
      })
  }
  const at = iso(Date.now())
  return {
    status: errors.length > 0 ? 207 : 200,
    body: {
      status: 'COMPLETE',
      startedAt: at,
      completedAt: at,
      results,
      ...(errors.length > 0 ? { numErrors: errors.length, errors } : {}),
    },
  }
}

/** The partners of one record, in pages of 500. */
export function recordAssociations(
  associations: Associations,
  { from, to }: { from: ObjectType; to: ObjectType },
  request: Request,
): Reply {
  const limit = readLimit(request, 500, 500)
  const start = Number(request.query.get('after') ?? 0)
  const links = associations.of(from.name, request.params.id ?? '', to.name)
  const results = links
    .slice(start, start + limit)
    .map((link) => ({ toObjectId: link.toId, associationTypes: associations.types(from.name, to.name, link) }))
  const end = start + limit
  return {
    status: 200,
    body: { results, ...(end < links.length ? { paging: { next: { after: String(end), link: `?after=${end}` } } } : {}) },
  }
}
