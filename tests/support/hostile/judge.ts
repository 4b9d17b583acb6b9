/** What a table and its dead letters must hold of the records that were sent, mode by mode. */
import type { SyncMode } from '../../../src/core/types.js'
import { type Doc, decimal, instant, readExactly, same } from './exact.js'
import { differences, membersOf, placesOf, type StoredColumn } from './reading.js'

export interface StoredLetter {
  payload: Doc
  message: string
  key: string | null | undefined
}

export interface Stored {
  columns: readonly StoredColumn[]
  /** As `to_jsonb` writes them. */
  rows: readonly Doc[]
  letters: readonly StoredLetter[]
}

interface Sent {
  record: Doc
  at: number
  key: string | undefined
  age: bigint | undefined
}

/** What is wrong with what is stored; nothing where every record that was sent is there, or rightly is not. */
export function judge(mode: SyncMode, records: readonly Doc[], { columns, rows, letters }: Stored): string[] {
  const wrong: string[] = []
  const sent = records.map((record, at): Sent => ({ record, at, key: keyOf(record), age: ageOf(record) }))
  const read = rows.map((row) => ({ places: placesOf(row, columns), says: [] as Sent[] }))
  const open = letters.map((letter) => ({ letter, says: [] as Sent[] }))
  for (const one of sent) {
    for (const row of read) if (differences(one.record, row.places).length === 0) row.says.push(one)
    for (const letter of open) if (isIn(one.record, letter.letter)) letter.says.push(one)
  }
  const inRows = new Set(read.flatMap(({ says }) => says))
  const inLetters = new Set(open.flatMap(({ says }) => says))

  for (const { places, says } of read) {
    if (says.length > 0) continue
    const id = places.find(({ field }) => field === 'id')?.held
    const near = sent.filter(({ key }) => id?.is === 'text' && key === id.value).map(({ record }) => differences(record, places))
    wrong.push(`a row says what was never sent, key ${JSON.stringify(id)}: ${JSON.stringify(near)}`)
  }
  for (const { letter, says } of open) {
    if (says.length === 0) wrong.push(`a letter holds what was never sent: ${letter.message}`)
    if (letter.message.length < 10) wrong.push(`a letter does not say why: ${letter.message}`)
    for (const one of says) if (!mayBeRefused(one.record)) wrong.push(`a letter without need: ${letter.message}`)
  }
  for (const one of sent) {
    if (inRows.has(one) || inLetters.has(one)) continue
    const others = sent.filter((other) => other !== one && other.key !== undefined && other.key === one.key)
    const isKeptByLetter = mayBeRefused(one.record) && others.some((other) => inLetters.has(other) && other.at > one.at)
    const isOutdone = others.some((other) => inRows.has(other) && outdoes(mode, other, one))
    if (!isKeptByLetter && !isOutdone) wrong.push(`a record is nowhere: key ${one.key}, number ${one.at} of ${sent.length}`)
  }
  return wrong
}

/** May `one` be missing where `other`, of the same key, stands? */
function outdoes(mode: SyncMode, other: Sent, one: Sent): boolean {
  const isLater = other.at > one.at
  if (mode === 'append') return false
  // Without an age, which of two is newer is not known.
  if (other.age === undefined || one.age === undefined) return mode !== 'history' || other.age === one.age
  if (mode === 'history') return other.age === one.age && isLater
  // A snapshot takes what was read last.
  return other.age > one.age || (isLater && (other.age === one.age || mode === 'replace'))
}

function isIn(record: Doc, { payload, message, key }: StoredLetter): boolean {
  // What is nested too deeply for json is kept as text.
  if (payload.is === 'text' && message.includes('kept as text'))
    return isIn(record, { payload: readExactly(payload.value), message: message.replace('kept as text', ''), key })
  if (record.is !== 'object') return same(payload, record)
  return differences(record, membersOf(payload, message.startsWith('PostgreSQL refused') ? 'refused' : 'json')).length === 0
}

const memberOf = (doc: Doc, name: string): Doc | undefined => (doc.is === 'object' ? doc.members.get(name) : undefined)

/** The key as a text column writes it; undefined where there is none that a row could be told by. */
function keyOf(record: Doc): string | undefined {
  const id = memberOf(record, 'id')
  if (id?.is === 'text') return id.value === '' ? undefined : id.value
  if (id?.is === 'boolean') return String(id.value)
  if (id?.is !== 'number') return undefined
  const number = Number(id.text)
  const isExact = decimal(String(number)) === decimal(id.text) && (Number.isSafeInteger(number) || !/^-?\d+$/.test(id.text))
  return isExact ? String(number) : id.text
}

/** Of cursors that a timestamp takes: those that exist, to the microsecond. */
function ageOf(record: Doc): bigint | undefined {
  const updated = memberOf(record, 'updated')
  if (updated?.is !== 'text') return undefined
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d):\d\d(?::(\d\d)(?:\.\d{1,6})?)?(?:Z|[+-](\d\d):?(?:\d\d)?)?$/.exec(updated.value)
  if (!match) return undefined
  const [, day, hour, second = '0', offset = '0'] = match
  const date = new Date(`${day}T00:00:00Z`)
  const isReal = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day!) && !day!.startsWith('0000')
  return isReal && Number(hour) < 24 && Number(second) < 60 && Number(offset) < 16 ? instant(updated.value) : undefined
}

/** May a record be one that no table takes? Others must load. */
function mayBeRefused(record: Doc): boolean {
  const key = keyOf(record)
  return key === undefined || Buffer.byteLength(key) > 500 || anywhere(record, isUnstorable)
}

const hasPoison = (text: string) => text.includes('\u0000') || /\p{Surrogate}/u.test(text)

function isUnstorable(doc: Doc): boolean {
  if (doc.is === 'text') return hasPoison(doc.value)
  if (doc.is === 'object') return [...doc.members.keys()].some(hasPoison)
  return doc.is === 'number' && Math.abs(Number(/[eE](.*)$/.exec(doc.text)?.[1] ?? 0)) > 16_000
}

function anywhere(doc: Doc, is: (doc: Doc) => boolean): boolean {
  if (is(doc)) return true
  if (doc.is === 'list') return doc.items.some((item) => anywhere(item, is))
  return doc.is === 'object' && [...doc.members.values()].some((item) => anywhere(item, is))
}
