import * as z from 'zod'
import { Failure } from '../../src/core/failure.js'
import type { Fields, FieldType, Http, Rec, Stream } from '../../src/core/types.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { fieldService } from './api.js'
import { account, type Columns } from './fields.js'
import { nameOf } from './gaql.js'
import { entity, report, withRowId } from './streams.js'

/** Reports that users write: their GAQL, cut into days by us, typed by the field service. */
export const custom = z.object({
  query: z
    .string()
    .meta({ description: 'GAQL: SELECT … FROM … [WHERE …]. With segments.date it is read day by day; Weir adds the range.' }),
})

const parts = /^\s*SELECT\s+([\w.,\s]+?)\s+FROM\s+(\w+)(?:\s+WHERE\s+([\s\S]+?))?\s*;?\s*$/i
/** Segments that need a range of dates; only whole days can be cut by. */
const spans = ['week', 'month', 'quarter', 'year'].map((name) => `segments.${name}`)
/** Resources whose queries follow rules of their own. */
const own = { click_view: 'click_view', change_status: 'change_status', change_event: 'change_events' } as const

interface Asked {
  select: string[]
  from: string
  where: string[]
}

function read(name: string, query: string): Asked {
  const refuse = (why: string): never => {
    throw new Failure('config', `The query of stream ${name} ${why}.`, { stream: name })
  }
  // The words are looked for outside of quoted values.
  const words = query.replace(/'[^']*'|"[^"]*"/g, "''")
  const further = /\b(ORDER\s+BY|LIMIT|PARAMETERS)\b/i.exec(words)?.[1]
  if (further) return refuse(`must not have ${further.toUpperCase()}: Weir orders and cuts it by itself`)
  const [, list, from, where] = parts.exec(query) ?? []
  if (list === undefined || from === undefined) return refuse('is not SELECT … FROM … [WHERE …]')
  const select = list.split(',').map((field) => field.trim())
  const wrong = select.find((field) => !/^[a-z]\w*(\.\w+)+$/.test(field))
  if (wrong !== undefined) return refuse(`selects "${wrong}", which is no field`)
  const stream = Object.hasOwn(own, from) ? own[from as keyof typeof own] : undefined
  if (stream) return refuse(`reads ${from}: take the stream ${stream} instead`)
  if (/\bsegments\.date\b/i.test(words.replace(/^[\s\S]*\bFROM\b/i, ''))) return refuse('filters segments.date: Weir does, slice by slice')
  const isDaily = select.includes('segments.date')
  const span = select.find((field) => spans.includes(field))
  if (!isDaily && span !== undefined) return refuse(`selects ${span}: select segments.date beside it, since slices are of days`)
  if (!isDaily && select.some((field) => field.startsWith('metrics.'))) return refuse('selects metrics: select segments.date, too')
  const names = [...Object.keys(account), ...select].map((path) => nameOf(path))
  const twice = names.find((one, i) => names.indexOf(one) !== i && !select.includes('customer.id'))
  if (twice !== undefined) return refuse(`has two fields for the column ${twice}`)
  return { select, from, where: where === undefined ? [] : [where] }
}

/** The field service's types as ours; what it does not name is JSON. */
const types: Readonly<Record<string, FieldType>> = {
  BOOLEAN: 'boolean',
  DATE: 'date',
  DOUBLE: 'double',
  FLOAT: 'double',
  ENUM: 'text',
  INT32: 'bigint',
  INT64: 'bigint',
  UINT64: 'numeric',
  RESOURCE_NAME: 'text',
  STRING: 'text',
}

async function discovered(http: Http, stream: string, paths: readonly string[]): Promise<Fields> {
  const names = paths.map((path) => `'${path}'`).join(', ')
  const { body } = await fieldService(http, `SELECT name, data_type, is_repeated, selectable WHERE name IN (${names})`)
  const found = new Map(recordsAt('results')({ results: [], ...body }).map((field) => [String(field.name), field]))
  const unknown = paths.filter((path) => at(found.get(path), 'selectable') !== true)
  if (unknown.length > 0)
    throw new Failure(
      'config',
      `Google Ads ${String(http.settings.apiVersion)} has no field ${unknown.join(', ')} to select, which stream ${stream} asks for.`,
      {
        stream,
      },
    )
  return Object.fromEntries(paths.map((path) => [nameOf(path), { type: typeOf(path, found.get(path)!) }]))
}

const typeOf = (path: string, { dataType, isRepeated }: Rec): FieldType => {
  if (isRepeated === true) return 'json'
  // Some fields called DATE carry a time; a day is sure of segments alone.
  if (dataType === 'DATE' && !path.startsWith('segments.')) return 'text'
  return types[String(dataType)] ?? 'json'
}

/** A stream out of a user's query. @throws Failure `config`, before any request, where the query cannot be cut or loaded */
export function customStream(name: string, given: Rec): Stream {
  const { select, from, where } = read(name, String(given.query))
  const asked = select.filter((path) => account[path] === undefined)
  const dims = asked.filter((path) => !path.startsWith('metrics.'))
  const columns = (paths: string[]): Columns => Object.fromEntries(paths.map((path) => [path, path === 'segments.date' ? 'date' : 'text']))
  const shape = { description: `Your query of ${from}.`, from, columns: columns(dims), where }
  const isDaily = dims.includes('segments.date')
  const metrics = asked.filter((path) => path.startsWith('metrics.'))
  const base: DeclaredStream = isDaily
    ? report({ ...shape, metrics: columns(metrics) })
    : entity({ ...shape, key: dims, of: 'advertisers' })
  const stream = {
    ...base,
    ...(isDaily ? {} : withRowId(base, dims)),
    discover: (http: Http) => discovered(http, name, asked),
  }
  // Types come from the vendor: only what Weir itself relies on is declared.
  const declared = [...stream.key, ...Object.keys(account).map((path) => nameOf(path)), ...(isDaily ? ['date'] : [])]
  const fields = Object.fromEntries(Object.entries(stream.fields).filter(([field]) => declared.includes(field)))
  return defineStreams({ [name]: { ...stream, fields } })[name]!
}
