/** Who is in each audience, by the keys they came with, and how often each was effectively added and removed. */
import { createHash } from 'node:crypto'
import type { Person } from '../company/people.js'
import { counted, none } from '../kit/pushed.js'
import type { Row } from './rows.js'

/** Each of these alone tells a person. */
const telling = ['EMAIL', 'PHONE', 'MADID', 'EXTERN_ID'] as const
/** Counts follow what was sent by a day. */
const delayMs = 24 * 3_600_000

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const namesOf = (row: Row) => telling.flatMap((key) => (row[key] === undefined ? [] : [`${key} ${row[key]}`]))
/** By what a member is asked for: the first of its telling keys. Whoever has none is known by all cells. */
const nameOf = (row: Row) => telling.map((key) => row[key]).find((value) => value !== undefined) ?? JSON.stringify(row)

interface Member {
  name: string
  row: Row
}

export class Membership {
  /** By the first of EMAIL, PHONE, MADID and EXTERN_ID that a member came with. */
  readonly pushed = new Map<string, typeof none>()
  private readonly held = new Set<Member>()
  private readonly index = new Map<string, Member>()
  private readonly sizes: { atMs: number; matched: number }[] = []

  constructor(private readonly people: readonly Person[]) {}

  add(rows: readonly Row[], nowMs: number): void {
    for (const row of rows) {
      const names = namesOf(row)
      const known = names.map((name) => this.index.get(name)).find((one) => one !== undefined)
      const member: Member = known ?? { name: nameOf(row), row }
      if (!known) this.count(member, 'added')
      member.row = { ...member.row, ...row }
      this.held.add(member)
      for (const name of names) this.index.set(name, member)
    }
    this.sizes.push({ atMs: nowMs, matched: this.matched() })
  }

  /** Who is not in it is no failure. */
  remove(rows: readonly Row[], nowMs: number): void {
    for (const row of rows)
      for (const name of namesOf(row)) {
        const member = this.index.get(name)
        if (!member) continue
        for (const own of namesOf(member.row)) this.index.delete(own)
        this.held.delete(member)
        this.count(member, 'removed')
      }
    this.sizes.push({ atMs: nowMs, matched: this.matched() })
  }

  members(): Row[] {
    return [...this.held].map(({ row }) => row)
  }

  /** How many are matched, as it is known a day later. */
  sizeAt(nowMs: number): number {
    return this.sizes.findLast(({ atMs }) => atMs <= nowMs - delayMs)?.matched ?? 0
  }

  /** People of the company whose address or number, hashed by the vendor's rules, is among these rows. */
  matches(rows: readonly Row[]): number {
    const given = new Set(rows.flatMap(namesOf))
    return this.people.filter(
      ({ email, phone }) =>
        (email !== null && given.has(`EMAIL ${sha256(email.trim().toLowerCase())}`)) ||
        (phone !== null && given.has(`PHONE ${sha256(phone.replace(/\D/g, '').replace(/^0+/, ''))}`)),
    ).length
  }

  private matched(): number {
    return this.matches(this.members())
  }

  private count({ name }: Member, what: 'added' | 'removed'): void {
    counted(this.pushed, name, what, none)
  }
}
