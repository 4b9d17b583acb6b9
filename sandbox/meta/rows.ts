/** Rows of people as they are uploaded: keys that a schema may name, and what makes an entry invalid. */
import { invalidParameter } from './errors.js'
import { jsonOf, type Parameters } from './parameters.js'

/** Keys whose values are SHA-256 in lower-case hex. Wrong normalisation is invisible: such a hash matches nobody. */
const hashed: ReadonlySet<string> = new Set([
  'EMAIL',
  'PHONE',
  'GEN',
  'DOBY',
  'DOBM',
  'DOBD',
  'LN',
  'FN',
  'FI',
  'CT',
  'ST',
  'ZIP',
  'COUNTRY',
])
const plain: ReadonlySet<string> = new Set([
  'EXTERN_ID',
  'MADID',
  'LOOKALIKE_VALUE',
  'DATA_PROCESSING_OPTIONS',
  'DATA_PROCESSING_OPTIONS_COUNTRY',
  'DATA_PROCESSING_OPTIONS_STATE',
])
/** Schemas of one key, as words of their own. */
const single: Record<string, string> = {
  EMAIL_SHA256: 'EMAIL',
  PHONE_SHA256: 'PHONE',
  MOBILE_ADVERTISER_ID: 'MADID',
  EXTERN_ID: 'EXTERN_ID',
}
const most = 10_000
const mostSamples = 100

export type Row = Readonly<Record<string, string>>

/** The rows of a call, cells that are unknown left out. @throws Refused for a call that is wrong as a whole */
export function rowsOf(parameters: Parameters): Row[] {
  const payload = jsonOf(parameters, 'payload') as { schema?: unknown; data?: unknown } | undefined
  if (typeof payload !== 'object' || payload === null) throw invalidParameter('The parameter payload is required')
  const { schema, data } = payload
  const keys = typeof schema === 'string' ? [single[schema] ?? schema] : Array.isArray(schema) ? schema.map(String) : []
  const unknown = keys.find((key) => !hashed.has(key) && !plain.has(key))
  if (keys.length === 0 || unknown !== undefined) throw invalidParameter(`Invalid schema key ${unknown ?? ''} in payload`)
  if (!Array.isArray(data) || data.length === 0) throw invalidParameter('payload has no data')
  if (data.length > most) throw invalidParameter(`payload may hold up to ${most} entries in a call`)
  return data.map((given) => {
    const cells: unknown[] = Array.isArray(given) ? given : [given]
    if (cells.length !== keys.length) throw invalidParameter('A row of the payload has another length than its schema')
    return Object.fromEntries(keys.flatMap((key, at) => (cells[at] === '' ? [] : [[key, String(cells[at])]])))
  })
}

export interface Judged {
  valid: Row[]
  invalid: number
  /** By the value that is wrong; an empty map comes as a list. */
  samples: Record<string, string> | []
}

const hashShape = /^[0-9a-f]{64}$/
const deviceShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** @param refused values that are found invalid whatever they look like → why */
export function judged(rows: readonly Row[], refused: ReadonlyMap<string, string>): Judged {
  const valid: Row[] = []
  const samples: Record<string, string> = {}
  for (const row of rows) {
    const wrong = wrongIn(row, refused)
    if (!wrong) valid.push(row)
    else if (Object.keys(samples).length < mostSamples) samples[wrong.value] = wrong.why
  }
  return { valid, invalid: rows.length - valid.length, samples: Object.keys(samples).length === 0 ? [] : samples }
}

function wrongIn(row: Row, refused: ReadonlyMap<string, string>): { value: string; why: string } | undefined {
  const cells = Object.entries(row)
  if (cells.length === 0) return { value: '', why: 'The entry is empty' }
  for (const [key, value] of cells) {
    const why = refused.get(value)
    if (why !== undefined) return { value, why }
    if (hashed.has(key) && !hashShape.test(value)) return { value, why: `Invalid ${key}: expected SHA-256` }
    if (key === 'MADID' && !deviceShape.test(value)) return { value, why: 'Invalid mobile advertiser id' }
  }
  return undefined
}
