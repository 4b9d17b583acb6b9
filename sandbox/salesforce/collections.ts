/** sObject Collections: up to 200 records a request, an answer for each in the order they came; and single records that are made. */
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import type { Session } from './access.js'
import { jsonType, refuse } from './errors.js'
import type { Closed } from './org.js'
import { failedWith, type Given, type Saved, type Saving } from './saving.js'
import type { SObject } from './schema.js'

const most = 200

export class Collections {
  constructor(private readonly saving: Saving) {}

  upsert(request: Request, { closed }: Session): Reply {
    const { object, key } = this.saving.keyOf(request.params.name ?? '', request.params.key ?? '', closed)
    const { records, isWhole } = this.recordsOf(request)
    for (const record of records) {
      this.check(object, record, closed)
      if (Object.keys(record).some((name) => name.toLowerCase() === 'id'))
        throw refuse(400, 'INVALID_FIELD', 'The Id field should not be specified in the sobject data.')
    }
    return json(this.whole(object, isWhole, () => this.saving.upsert(object, key, records.map(plain))))
  }

  insert(request: Request, { closed }: Session): Reply {
    const { records, isWhole } = this.recordsOf(request)
    const name = (records[0]?.attributes as { type?: string } | undefined)?.type ?? ''
    const object = this.object(name, closed)
    for (const record of records) this.check(object, record, closed)
    return json(this.whole(object, isWhole, () => records.map((record) => this.saving.save(object, plain(record)))))
  }

  remove(request: Request): Reply {
    const ids = (request.query.get('ids') ?? '').split(',').filter((id) => id !== '')
    atMost(ids.length)
    return json(ids.map((id) => ({ ...this.saving.remove(id), id })).map(({ created, ...one }: Record<string, unknown>) => one))
  }

  create(request: Request, { closed }: Session): Reply {
    const object = this.object(request.params.name ?? '', closed)
    const given = jsonObject(request) ?? {}
    this.check(object, given, closed)
    const saved = this.saving.save(object, plain(given))
    if (saved.success) return { status: 201, contentType: jsonType, body: { id: saved.id, success: true, errors: [] } }
    const [{ statusCode, message, fields }] = saved.errors as [Saved['errors'][number] & object]
    return { status: 400, contentType: jsonType, body: [{ message, errorCode: statusCode, fields }] }
  }

  private object(name: string, closed: Closed): SObject {
    const object = this.saving.org.object(name, closed)
    if (!object) throw refuse(404, 'NOT_FOUND', 'The requested resource does not exist')
    return object
  }

  private recordsOf(request: Request): { records: Given[]; isWhole: boolean } {
    const body = jsonObject(request)
    const records = body?.records
    if (!Array.isArray(records) || records.length === 0) throw refuse(400, 'JSON_PARSER_ERROR', 'records is required')
    atMost(records.length)
    return { records: records as Given[], isWhole: body?.allOrNone === true }
  }

  private check(object: SObject, record: Given, closed: Closed): void {
    const odd = this.saving.unknown(object, plain(record), closed)
    if (odd !== undefined) throw refuse(400, 'INVALID_FIELD', `No such column '${odd}' on sobject of type ${object.name}`)
  }

  /** With `allOrNone` a refused record takes the others back. */
  private whole(object: SObject, isWhole: boolean, make: () => Saved[]): Saved[] {
    if (!isWhole) return make()
    const table = this.saving.org.store.table(object.name)
    const before = new Map([...table.values()].map((row) => [row.id, row]))
    const all = make()
    if (all.every(({ success }) => success)) return all
    return all.map((one) => {
      if (!one.success) return one
      const old = before.get(one.id)
      if (old) table.put(old)
      else table.delete(one.id)
      return failedWith({
        statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
        message: 'Record rolled back because not all records were valid and the request was using AllOrNone header',
        fields: [],
      })
    })
  }
}

const plain = ({ attributes, ...record }: Given): Given => record

function atMost(records: number): void {
  if (records > most) throw refuse(400, 'EXCEEDED_ID_LIMIT', 'record limit reached. cannot submit more than 200 records into this call')
}

const json = (body: unknown): Reply => ({ status: 200, body, contentType: jsonType })
