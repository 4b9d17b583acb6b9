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

/** Plain and primary type id of each direction, from the vendor's guide. */
const typeIds: Record<string, readonly [plain: number, primary: number | null]> = {
  'contacts companies': [279, 1],
  'companies contacts': [280, 2],
  'deals contacts': [3, null],
  'contacts deals': [4, null],
  'deals companies': [341, 5],
  'companies deals': [342, 6],
  'contacts tickets': [15, null],
  'tickets contacts': [16, null],
  'tickets companies': [339, 26],
  'companies tickets': [340, 25],
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

  types(from: TypeName, to: TypeName, { primary }: Link): { category: string; typeId: number; label: string | null }[] {
    const [plain, first] = typeIds[`${from} ${to}`] ?? [0, null]
    const types = [{ category: 'HUBSPOT_DEFINED', typeId: plain, label: null as string | null }]
    if (primary && first !== null) types.push({ category: 'HUBSPOT_DEFINED', typeId: first, label: 'Primary' })
    return types
  }

  labels(from: TypeName, to: TypeName): { category: string; typeId: number; label: string | null }[] {
    return this.types(from, to, { toId: '', primary: true })
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
