/** People and firms, each made from its number alone. */
import { Dice, place, roll } from './dice.js'
import { countries, firmEnds, firmWords, industries, interests, mailHosts, plans, titles } from './words.js'

export interface Person {
  n: number
  joinedAtMs: number
  /** Came with a bulk import: many share the instant, and most were never edited since. */
  imported: boolean
  first: string
  last: string
  country: (typeof countries)[number]
  city: (typeof countries)[number]['cities'][number]
  /** The address as the e-mail tool knows it; null for people who gave a phone number only. */
  email: string | null
  /** The same address as it was typed into the CRM. */
  crmEmail: string | null
  phone: string | null
  title: string
  plan: (typeof plans)[number]
  seats: number
  interests: string[]
  /** Number of the firm the person works for. */
  firm: number | null
  inEmailTool: boolean
  inCrm: boolean
  /** The last change before the sandbox opened; equals `joinedAtMs` when there was none. */
  editedAtMs: number
}

export interface Firm {
  n: number
  name: string
  domain: string
  industry: (typeof industries)[number]
  country: string
  employees: number
}

const People = place('people')
const Firms = place('firms')

export function firm(seed: number, n: number): Firm {
  const dice = new Dice(seed, Firms, n)
  const word = firmWords[n % firmWords.length] as string
  const number = Math.floor(n / firmWords.length)
  const name = `${word}${number === 0 ? '' : ` ${number + 1}`} ${dice.pick(firmEnds)}`
  const domain = `${word.toLowerCase()}${number === 0 ? '' : number + 1}.example`
  return {
    n,
    name,
    domain,
    industry: dice.pick(industries),
    country: dice.pick(countries).name,
    employees: 1 + (dice.below(900) ** 2 % 4999),
  }
}

export function person(seed: number, n: number, joinedAtMs: number, imported: boolean, openedMs: number, firms: number): Person {
  const dice = new Dice(seed, People, n)
  // The country goes by number, so that the n-th phone number of a country is given once.
  const country = countries[n % countries.length] as (typeof countries)[number]
  const first = dice.pick(country.first)
  const last = dice.pick(country.last)
  const firmN = dice.chance(0.45) ? dice.below(firms) : null
  const phoneOnly = dice.chance(0.02)
  const phone = phoneOnly || dice.chance(0.45) ? country.phone(Math.floor(n / countries.length)) : null
  const name = `${plain(first)}.${plain(last)}${n}`.replace(/^\./, 'p.')
  const host = firmN !== null && dice.chance(0.6) ? firm(seed, firmN).domain : dice.pick(mailHosts)
  const email = phoneOnly && phone !== null ? null : `${name}@${host}`
  const inEmailTool = dice.chance(0.93)
  const edited = !dice.chance(imported ? 0.85 : 0.35) && joinedAtMs < openedMs
  return {
    n,
    joinedAtMs,
    imported,
    first,
    last,
    country,
    city: dice.pick(country.cities),
    email,
    crmEmail: email === null ? null : spelled(email, dice.next()),
    phone,
    title: dice.pick(titles),
    plan: dice.pick(plans),
    seats: 1 + dice.below(40),
    interests: interests.filter(() => dice.chance(0.35)),
    firm: firmN,
    inEmailTool,
    inCrm: !inEmailTool || dice.chance(0.7),
    editedAtMs: edited ? joinedAtMs + Math.floor((openedMs - joinedAtMs) * Math.sqrt(roll(seed, People, n, 1))) : joinedAtMs,
  }
}

/** Lower-case ASCII for an address; names in other scripts become nothing. */
function plain(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/ł/g, 'l')
    .replace(/ø/g, 'o')
    .replace(/œ/g, 'oe')
    .replace(/[^a-z]/g, '')
}

/** How the same address gets into a CRM: mostly as it is, else in capitals, with a tag, or with a blank around it. */
function spelled(email: string, chance: number): string {
  const [name = '', host = ''] = email.split('@')
  if (chance < 0.62) return email
  if (chance < 0.76) return `${name.replace(/(^|\.)[a-z]/g, (letter) => letter.toUpperCase())}@${host}`
  if (chance < 0.86) return email.toUpperCase()
  if (chance < 0.96) return `${name}+crm@${host}`
  return ` ${email} `
}
