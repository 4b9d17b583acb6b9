/** What a table and its dead letters must hold of the records that were sent, mode by mode. */
import type { SyncMode } from '../../../src/core/types.js'
import { type Doc, decimal, instant, readExactly, same } from './exact.js'
import { differences, membersOf, type Place, placesOf, type StoredColumn } from './reading.js'

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

interface Row {
  places: readonly Place[]
  row: Doc
  says: Sent[]
}

/** What is wrong with what is stored; nothing where every record that was sent is there, or rightly is not. */
export function judge(mode: SyncMode, records: readonly Doc[], { columns, rows, letters }: Stored): string[] {
  const wrong: string[] = []
  const sent = records.map((record, at): Sent => ({ record, at, key: keyOf(record), age: ageOf(record) }))
  const read = rows.map((row): Row => ({ row, places: placesOf(row, columns), says: [] }))
  const open = letters.map((letter) => ({ letter, says: [] as Sent[] }))
  for (const one of sent) {
    for (const row of read) if (differences(one.record, row.places).length === 0) row.says.push(one)
    for (const letter of open) if (isIn(one.record, letter.letter)) letter.says.push(one)
  }
  const inRows = new Set(read.flatMap(({ says }) => says))
  const inLetters = new Set(open.flatMap(({ says }) => says))
  /** Beside it: of the same key, in the order of reading. */
  const ofKey = (one: Sent) => sent.filter(({ key }) => key !== undefined && key === one.key)
  const stood = (one: Sent) => ofKey(one).filter((other) => !mayBeRefused(other.record) || inRows.has(other))

  for (const { places, says } of read) {
    if (says.length > 0) continue
    const id = places.find(({ field }) => field === 'id')?.held
    const near = sent.filter(({ key }) => id?.is === 'text' && key === id.value).map(({ record }) => differences(record, places))
    wrong.push(`a row says what was never sent, key ${JSON.stringify(id)}: ${JSON.stringify(near)}`)
  }
  for (const { letter, says } of open) {
    if (says.length === 0) wrong.push(`a letter holds what was never sent: ${letter.message}`)
    if (letter.message.length < 10) wrong.push(`a letter does not say why: ${letter.message}`)
    const isUndated = (one: Sent) => mode === 'merge' && one.age === undefined && stood(one).some(({ age }) => age !== undefined)
    for (const one of says) if (!mayBeRefused(one.record) && !isUndated(one)) wrong.push(`a letter without need: ${letter.message}`)
  }
  for (const one of sent) {
    if (inRows.has(one) || inLetters.has(one)) continue
    const isKeptByLetter = mayBeRefused(one.record) && ofKey(one).some((other) => inLetters.has(other) && holdsBack(mode, other, one))
    const winner = winnerOf(mode, stood(one))
    const isOutdone = winner !== undefined && winner !== one && inRows.has(winner) && mayVanish(mode, one, winner, stood(one))
    if (!isKeptByLetter && !isOutdone) wrong.push(`a record is nowhere: key ${one.key}, number ${one.at} of ${sent.length}`)
  }
  for (const one of sent) {
    const winner = winnerOf(mode, stood(one))
    if (winner !== undefined && !inRows.has(winner)) wrong.push(`not the newest version stands: key ${one.key}`)
  }
  wrong.push(...(mode === 'history' ? disorder(read) : mode === 'append' ? [] : doubles(read)))
  return wrong
}

/** Of versions of one key the one that must stand, in the modes in which one stands: the newest, or for a snapshot what was read last. */
function winnerOf(mode: SyncMode, versions: readonly Sent[]): Sent | undefined {
  if (mode === 'append' || mode === 'history') return undefined
  if (mode !== 'merge') return versions.at(-1)
  return versions.reduce<Sent | undefined>((best, one) => (best === undefined || !isLess(one.age, best.age) ? one : best), undefined)
}

/** What has no age stands behind all that have one. */
const isLess = (a: bigint | undefined, b: bigint | undefined) => b !== undefined && (a === undefined || a < b)

/** May `one` be gone since `winner` stands? Not where nobody can tell which is newer: it came after what says its age, and says none. */
function mayVanish(mode: SyncMode, one: Sent, winner: Sent, versions: readonly Sent[]): boolean {
  const cannotTell = mode === 'merge' && one.age === undefined && versions.some(({ age, at }) => age !== undefined && at < one.at)
  return !cannotTell || same(beside(one.record), beside(winner.record))
}

/** What a record says beside its key and its cursor. */
const beside = (doc: Doc): Doc =>
  doc.is === 'object'
    ? { is: 'object', members: new Map([...doc.members].filter(([key, { is }]) => key !== 'id' && key !== 'updated' && is !== 'null')) }
    : doc

/** Is `one` rightly no letter, since `other`, of the same key, is one? Only where one version stands, and the other is as new. */
const holdsBack = (mode: SyncMode, other: Sent, one: Sent): boolean =>
  mode !== 'append' && mode !== 'history' && one.age !== undefined && other.age !== undefined && !isLess(other.age, one.age)

const textIn = (row: Doc, name: string): string => {
  const cell = memberOf(row, name)
  return cell?.is === 'text' ? cell.value : String(cell?.is === 'boolean' && cell.value)
}

/** Rows of a history in the order of time, key by key: each ends where the next begins, ages rise, and the last one alone is current. */
function disorder(rows: readonly Row[]): string[] {
  const wrong: string[] = []
  const since = ({ row }: Row) => instant(textIn(row, '_weir_valid_from'))!
  for (const versions of byKey(rows)) {
    const sorted = [...versions].sort((a, b) => (since(a) < since(b) ? -1 : 1))
    let age: bigint | undefined
    for (const [i, version] of sorted.entries()) {
      const next = sorted[i + 1]
      const until = memberOf(version.row, '_weir_valid_to')
      const end = until?.is === 'text' ? instant(until.value) : undefined
      const key = textIn(version.row, 'id')
      if (end !== (next && since(next))) wrong.push(`a version does not end where the next begins: key ${key}`)
      if (textIn(version.row, '_weir_is_current') !== String(next === undefined)) wrong.push(`not the last version is current: key ${key}`)
      const own = version.says[0]?.age
      if (own !== undefined && since(version) < own) wrong.push(`a version begins before it was made: key ${key}`)
      if (own !== undefined && age !== undefined && own < age) wrong.push(`an older version stands after a newer one: key ${key}`)
      age = own ?? age
    }
  }
  return wrong
}

const doubles = (rows: readonly Row[]): string[] =>
  byKey(rows)
    .filter((versions) => versions.length > 1)
    .map(([first]) => `two rows of one key: ${textIn(first!.row, 'id')}`)

function byKey(rows: readonly Row[]): Row[][] {
  const keys = new Map<string, Row[]>()
  for (const row of rows) keys.set(textIn(row.row, 'id'), [...(keys.get(textIn(row.row, 'id')) ?? []), row])
  return [...keys.values()]
}

function isIn(record: Doc, { payload, message, key }: StoredLetter): boolean {
  // What is nested too deeply for json is kept as text.
  if (payload.is === 'text' && message.includes('kept as text'))
    return isIn(record, { payload: readExactly(payload.value), message: message.replace('kept as text', ''), key })
  if (record.is !== 'object') return same(payload, record)
  return differences(record, membersOf(payload, /^(PostgreSQL refused|says nothing in)/.test(message) ? 'refused' : 'json')).length === 0
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
