/** HubSpot's writing side, as far as audiences need it: records upserted, lists made, memberships added and removed. */
import { jsonObject, Refused, type Reply, type Request } from '../kit/http.js'
import { type HeldList, heldList, none, Pushed as ToLists } from '../kit/pushed.js'
import { Table } from '../kit/table.js'
import { invalid, refusal } from './errors.js'
import type { Lists } from './lists.js'
import type { Objects } from './objects.js'
import type { ListRow, MembershipRow } from './rows.js'
import type { HubspotStore } from './store.js'
import { type ObjectType, objectType } from './types.js'
import { type UpsertSwitches, upsertBatch } from './upsert.js'

export interface WritingSwitches extends UpsertSwitches {
  /** Records that lists do not know yet, though they stand. */
  unknownToLists: ReadonlySet<string>
}

/** How often each record was effectively put on and taken off a list, and how often each record of an object was written. */
export interface Pushed {
  lists: ToLists
  records: Map<string, Map<string, number>>
}

export interface WritingParts {
  store: HubspotStore
  objects: Objects
  lists: Lists
  now: () => number
}

export class Writing {
  readonly pushed: Pushed = { lists: new ToLists(none), records: new Map() }
  readonly switches: WritingSwitches = {
    isAllOrNothing: false,
    isPartialPlain: false,
    unnamed: new Set(),
    demanded: [],
    unknownToLists: new Set(),
  }
  private made = 0

  constructor(private readonly parts: WritingParts) {}

  upsert(type: ObjectType, request: Request): Reply {
    const { records } = this.pushed
    const onWritten = ({ name }: ObjectType, id: string) => {
      const counts = records.get(name) ?? new Map<string, number>()
      records.set(name, counts.set(id, (counts.get(id) ?? 0) + 1))
    }
    // Beyond all ids that the company's own people can have.
    const nextId = () => String(90_000_000_000 + ++this.made)
    return upsertBatch({ ...this.parts, switches: this.switches, nextId, onWritten }, type, request)
  }

  makeList(request: Request): Reply {
    const { store, lists, now } = this.parts
    const { name, objectTypeId, processingType } = jsonObject(request) ?? {}
    if (typeof name !== 'string' || name === '') throw invalid('The list needs a name.')
    const type = objectType(String(objectTypeId ?? ''))
    if (type === undefined) throw invalid(`Unable to infer object type from: ${String(objectTypeId)}`)
    if (processingType !== 'MANUAL' && processingType !== 'SNAPSHOT')
      throw invalid(`A list without filters is MANUAL or SNAPSHOT, not ${String(processingType)}.`)
    const isTaken = [...store.lists.values()].some((list) => list.objectTypeId === type.objectTypeId && list.name === name)
    if (isTaken) throw invalid(`A list named ${name} exists already.`, { subCategory: 'ILS.DUPLICATE_LIST_NAMES' })
    const atMs = now()
    const row: ListRow = {
      id: String(1 + Math.max(0, ...[...store.lists.values()].map(({ id }) => Number(id)))),
      name,
      objectTypeId: type.objectTypeId,
      processingType,
      createdMs: atMs,
      updatedMs: atMs,
    }
    store.lists.put(row)
    store.memberships.set(row.id, new Table<MembershipRow>((member) => Number(member.id)))
    return { status: 200, body: { list: lists.show(row) } }
  }

  /** Ids that nobody knows are named, and are no refusal; who is on the list already, or is not, is passed over. */
  members(list: string, adding: readonly unknown[], removing: readonly unknown[]): Reply {
    const { store, lists, now } = this.parts
    const { processingType, objectTypeId } = lists.find(list)
    if (processingType === 'DYNAMIC') throw invalid(`List ${list} is DYNAMIC: its memberships follow its filters and cannot be edited.`)
    const table = store.memberships.get(list) as Table<MembershipRow>
    const records = store.objects[objectType(objectTypeId)!.name]
    const isThere = (id: string) => records.get(id)?.archivedMs === null && !this.switches.unknownToLists.has(id)
    const [added, removed, missing]: [string[], string[], string[]] = [[], [], []]
    for (const id of adding.map(String)) {
      if (!isThere(id)) missing.push(id)
      else if (table.get(id) === undefined) {
        table.put({ id, joinedMs: now() })
        added.push(id)
        this.pushed.lists.count(list, id, 'added')
      }
    }
    for (const id of removing.map(String)) {
      if (table.get(id) === undefined) {
        if (!isThere(id)) missing.push(id)
        continue
      }
      table.delete(id)
      removed.push(id)
      this.pushed.lists.count(list, id, 'removed')
    }
    // Live answers leave an empty array out; the first key is spelled as the vendor spells it.
    return {
      status: 200,
      body: { recordsIdsAdded: added, recordIdsRemoved: removed, ...(missing.length > 0 ? { recordIdsMissing: missing } : {}) },
    }
  }

  held(): HeldList[] {
    const { lists, memberships } = this.parts.store
    return [...this.pushed.lists].map(([id, counts]) => heldList('list', lists.get(id)!.name, memberships.get(id)!.size, counts))
  }
}

/** The bare array of a body. */
export function idsOf(request: Request): unknown[] {
  try {
    const ids: unknown = JSON.parse(request.text)
    if (Array.isArray(ids)) return ids
  } catch {
    // Refused below.
  }
  throw new Refused(refusal(400, 'VALIDATION_ERROR', 'Invalid input JSON: an array of record ids is expected.'))
}
