/** Lists and who is in them. The older search pages by offset, with a ceiling; the newer `/all` by cursor. */
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import { invalid, notFound } from './errors.js'
import { readLimit } from './objects.js'
import { iso, type ListRow } from './rows.js'
import type { HubspotStore } from './store.js'

const offsetMax = 10_000
const countMax = 500
const processingTypes = ['MANUAL', 'DYNAMIC', 'SNAPSHOT']

export class Lists {
  constructor(private readonly store: HubspotStore) {}

  show(row: ListRow): Record<string, unknown> {
    const members = this.store.memberships.get(row.id)
    return {
      listId: row.id,
      objectTypeId: row.objectTypeId,
      name: row.name,
      processingType: row.processingType,
      processingStatus: 'COMPLETE',
      listVersion: 1,
      createdAt: iso(row.createdMs),
      updatedAt: iso(row.updatedMs),
      filtersUpdatedAt: iso(row.createdMs),
      createdById: '1000',
      updatedById: '1000',
      additionalProperties: { hs_list_size: String(members?.size ?? 0), hs_list_reference_count: '0' },
    }
  }

  get(id: string): Reply {
    return { status: 200, body: { list: this.show(this.find(id)) } }
  }

  byName(objectTypeId: string, name: string): Reply {
    const row = this.sorted().find((list) => list.objectTypeId === objectTypeId && list.name === name)
    if (row === undefined) throw notFound(`No list named ${name} exists.`)
    return { status: 200, body: { list: this.show(row) } }
  }

  byIds(ids: readonly string[]): Reply {
    return { status: 200, body: { lists: ids.flatMap((id) => this.store.lists.get(id) ?? []).map((row) => this.show(row)) } }
  }

  search(request: Request): Reply {
    const body = jsonObject(request) ?? {}
    const count = body.count === undefined ? 20 : Number(body.count)
    const offset = Number(body.offset ?? 0)
    if (!Number.isInteger(count) || count < 1 || count > countMax)
      throw invalid(`Invalid count: ${String(body.count)}. The count must be between 1 and ${countMax}.`)
    if (!Number.isInteger(offset) || offset < 0 || offset > offsetMax)
      throw invalid(`Invalid offset: ${String(body.offset)}. The offset must not be greater than ${offsetMax}.`)
    const query = String(body.query ?? '').toLowerCase()
    const ids = strings(body.listIds)
    const rows = this.fitting(body).filter((row) => row.name.toLowerCase().includes(query) && (ids.length === 0 || ids.includes(row.id)))
    const page = rows.slice(offset, offset + count)
    return {
      status: 200,
      body: {
        offset: offset + page.length,
        hasMore: offset + page.length < rows.length,
        lists: page.map((row) => this.show(row)),
        total: rows.length,
      },
    }
  }

  /** Pages by id; a cursor is bound to the filter it was given for. */
  all(request: Request): Reply {
    const body = jsonObject(request) ?? {}
    const count = body.count === undefined ? 100 : Number(body.count)
    if (!Number.isInteger(count) || count < 1 || count > countMax) throw invalid(`Invalid count: ${String(body.count)}.`)
    const rows = this.fitting(body)
    const question = JSON.stringify([strings(body.processingTypes), body.objectTypeId ?? null])
    let from = 0
    if (body.after !== undefined && body.after !== null) {
      const [asked, id] = readCursor(String(body.after))
      if (asked !== question) throw invalid('The cursor does not belong to these filters.', { subCategory: 'INVALID_CURSOR' })
      from = rows.findIndex((row) => Number(row.id) > Number(id))
      if (from < 0) from = rows.length
    }
    const page = rows.slice(from, from + count)
    const last = page.at(-1)
    const after =
      last !== undefined && from + page.length < rows.length ? Buffer.from(JSON.stringify([question, last.id])).toString('base64url') : null
    return { status: 200, body: { results: page.map((row) => this.show(row)), ...(after === null ? {} : { paging: { next: { after } } }) } }
  }

  /** Members by record id; with `byJoining`, by the time they joined. */
  members(id: string, request: Request, byJoining: boolean): Reply {
    this.find(id)
    const table = this.store.memberships.get(id)
    const limit = readLimit(request, 250, 100)
    const after = request.query.get('after')
    const cursor = after === null ? undefined : readCursor(after)
    const index = byJoining ? table?.index('joined', ({ joinedMs }) => joinedMs) : table?.index('id', (row) => Number(row.id))
    if (table === undefined || index === undefined) throw notFound()
    const { rows, more } = index.walk({
      limit,
      ...(cursor === undefined ? {} : { after: { key: Number(cursor[0]), tie: Number(cursor[1]) } }),
    })
    const last = rows.at(-1)
    const next =
      more && last !== undefined ? Buffer.from(JSON.stringify([String(index.keyOf(last)), last.id])).toString('base64url') : undefined
    const results = rows.map((row) => ({ recordId: row.id, membershipTimestamp: iso(row.joinedMs) }))
    return {
      status: 200,
      body: {
        results,
        total: table.size,
        ...(next === undefined ? {} : { paging: { next: { after: next, link: `${request.origin}${request.path}?after=${next}` } } }),
      },
    }
  }

  find(id: string): ListRow {
    const row = this.store.lists.get(id)
    if (row === undefined) throw notFound(`List does not exist with ID ${id}.`)
    return row
  }

  private sorted(): ListRow[] {
    return [...this.store.lists.values()].sort((a, b) => Number(a.id) - Number(b.id))
  }

  private fitting(body: Record<string, unknown>): ListRow[] {
    const types = strings(body.processingTypes)
    const unknown = types.find((type) => !processingTypes.includes(type))
    if (unknown !== undefined) throw invalid(`${unknown} is not a processing type.`, { subCategory: 'INVALID_PROCESSING_TYPE' })
    return this.sorted().filter(
      (row) =>
        (types.length === 0 || types.includes(row.processingType)) && (body.objectTypeId == null || row.objectTypeId === body.objectTypeId),
    )
  }
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

function readCursor(text: string): [string, string] {
  try {
    const [first, second] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (typeof first === 'string' && typeof second === 'string') return [first, second]
  } catch {
    // Not one of ours: refused below.
  }
  throw invalid('The cursor is not valid.', { subCategory: 'INVALID_CURSOR' })
}
