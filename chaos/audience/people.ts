/** Who is in the model and what must become of each, computed by none of Weir's code. */
import type { Query } from '../database.js'

export interface Person {
  n: number
  email: string
  consent: 'granted' | 'denied' | null
  isSuppressed: boolean
  /** The vendors do not take this one. */
  isInvalid: boolean
  /** No longer in the model. */
  hasLeft: boolean
}

/** One in ten has not consented, half of these have said so; one in fifty is suppressed; three in a hundred no vendor takes. */
export const peopleOf = (count: number): Person[] =>
  Array.from({ length: count }, (_, at) => {
    const n = at + 1
    return {
      n,
      email: `p${n}@example.test`,
      consent: n % 20 === 10 ? 'denied' : n % 20 === 0 ? null : 'granted',
      isSuppressed: n % 50 === 8,
      isInvalid: [3, 34, 67].includes(n % 100),
      hasLeft: false,
    }
  })

/** Who is to be sent. */
export const isWanted = ({ consent, isSuppressed, hasLeft }: Person): boolean => consent === 'granted' && !isSuppressed && !hasLeft

/** A hundredth of all: some leave, some withdraw, some are suppressed. Who no vendor takes stays as it is. */
export function change(people: readonly Person[]): void {
  for (const person of people) {
    if (person.isInvalid || !isWanted(person)) continue
    if (person.n % 300 === 1) person.hasLeft = true
    else if (person.n % 300 === 101) person.consent = 'denied'
    else if (person.n % 300 === 201) person.isSuppressed = true
  }
}

/** The model's tables as the people are now. Who is invalid has no last name and no number of seats. */
export async function store(query: Query, people: readonly Person[]): Promise<void> {
  const there = people.filter(({ hasLeft }) => !hasLeft)
  await query('CREATE SCHEMA IF NOT EXISTS crm')
  await query('DROP TABLE IF EXISTS crm.people, crm.stopped')
  await query(
    `CREATE TABLE crm.people AS SELECT n AS id, 'ref-' || n AS code, email, consent,
       CASE WHEN invalid THEN NULL ELSE 'Person ' || n END AS last_name, CASE WHEN invalid THEN 'many' ELSE (n % 9)::text END AS seats
     FROM unnest($1::int[], $2::text[], $3::text[], $4::boolean[]) AS p (n, email, consent, invalid)`,
    [
      there.map(({ n }) => n),
      there.map(({ email }) => email),
      there.map(({ consent }) => consent),
      there.map(({ isInvalid }) => isInvalid),
    ],
  )
  await query('CREATE TABLE crm.stopped (email text)')
  await query('INSERT INTO crm.stopped SELECT upper(email) FROM unnest($1::text[]) AS s (email)', [
    people.filter(({ isSuppressed }) => isSuppressed).map(({ email }) => email),
  ])
}
