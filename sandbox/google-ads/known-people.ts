/** Whom Google knows, and by what: hashes made by its own rules, so that whoever normalizes otherwise matches nobody. */
import { createHash } from 'node:crypto'
import type { Company } from '../company/company.js'

export interface KnownPerson {
  email?: string | null
  phone?: string | null
  first?: string
  last?: string
  /** ISO 3166 alpha-2. */
  country?: string
  postalCode?: string
}

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')

/** As Google's formatting guide and its util say: of its own two domains dots and what follows a plus sign do not count. */
export function hashedEmail(address: string): string {
  const [local = '', domain = ''] = address.trim().toLowerCase().split('@')
  const isFolded = domain === 'gmail.com' || domain === 'googlemail.com'
  return sha256(`${isFolded ? (local.split('+')[0] ?? '').replaceAll('.', '') : local}@${domain}`)
}
export const hashedPhone = (number: string): string => sha256(`+${number.replace(/\D/g, '')}`)
export const hashedName = (name: string): string => sha256(name.trim().toLowerCase())

/** Names of one person, as they stand in requests once they are read. */
export function identifiersOf({ email, phone, first, last, country, postalCode }: KnownPerson): string[] {
  return [
    ...(email ? [`email:${hashedEmail(email)}`] : []),
    ...(phone ? [`phone:${hashedPhone(phone)}`] : []),
    ...(first && last && country && postalCode ? [addressName(hashedName(first), hashedName(last), country, postalCode)] : []),
  ]
}

export const addressName = (first: string, last: string, country: string, postalCode: string): string =>
  `address:${first}:${last}:${country.trim().toUpperCase()}:${postalCode.trim()}`

/** Everybody of the company, and whom a test adds. */
export class KnownPeople {
  private readonly names = new Map<string, string>()
  private read = 0
  private added = 0

  constructor(private readonly company: Company) {}

  know(person: KnownPerson): void {
    this.put(`added ${++this.added}`, person)
  }

  /** Who it is; undefined for a name that Google has never heard. */
  personBy(name: string): string | undefined {
    const { people } = this.company
    for (; this.read < people.length; this.read++) {
      const { n, email, phone, first, last, country, city } = people[this.read] as (typeof people)[number]
      this.put(`person ${n}`, { email, phone, first, last, country: country.code, postalCode: city[4] })
    }
    return this.names.get(name)
  }

  private put(id: string, person: KnownPerson): void {
    for (const name of identifiersOf(person)) this.names.set(name, id)
  }
}
