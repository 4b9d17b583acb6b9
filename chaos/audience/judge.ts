/** What must hold after a push: the vendor's own memory, and Weir's ledger, against what the people say. */
import { isWanted, type Person } from './people.js'
import type { DestinationEnd, PushEnd } from './push.js'
import type { Vendor } from './vendors.js'
import { audience, type World } from './world.js'

export interface Expected {
  people: readonly Person[]
  /** Who was ever to be sent, and is no more: taken out once. */
  gone: readonly Person[]
  /** What each destination's batches must come to; undefined is not looked at. */
  sums: (vendor: Vendor) => Partial<DestinationEnd>
}

export async function judge(world: World, vendors: readonly Vendor[], push: PushEnd, expected: Expected): Promise<string[]> {
  const problems: string[] = []
  if (!push.status.startsWith('completed')) problems.push(`the push ended as ${push.status}: ${push.message}`)
  for (const vendor of vendors) {
    const found = [
      ...atVendor(world, vendor, expected),
      ...(await inLedger(world, vendor, expected)),
      ...inSums(vendor, push, expected.sums(vendor)),
    ]
    problems.push(...found.map((problem) => `${vendor.name}: ${problem}`))
  }
  return problems
}

/** Of the vendor exactly those who are wanted and not refused, each put there once; where it takes out, who is gone was taken out once. */
function atVendor({ sandbox }: World, vendor: Vendor, { people, gone }: Expected): string[] {
  const names = (some: readonly Person[]) => some.filter(({ isInvalid }) => !isInvalid).map(vendor.nameOf)
  const wanted = names(people.filter(isWanted))
  const left = names(gone)
  const there = vendor.isUpsert ? [...wanted, ...left] : wanted
  const problems = difference(vendor.held(sandbox), there, 'is held')
  const counts = [...vendor.counts(sandbox).values()]
  const often = (what: 'added' | 'removed', times: number) => counts.filter((one) => one[what] === times).length
  const [once, more] = [often('added', 1), counts.filter(({ added }) => added > 1).length]
  if (once !== wanted.length + left.length || more > 0)
    problems.push(`${once} were put there once and ${more} more than once, ${wanted.length + left.length} should have been, once`)
  const taken = vendor.isUpsert ? 0 : left.length
  if (often('removed', 1) !== taken || counts.some(({ removed }) => removed > 1))
    problems.push(`${often('removed', 1)} were taken out once, ${taken} should have been`)
  return problems
}

/** By member where the vendor names members; by number where it does not. */
async function inLedger(world: World, vendor: Vendor, { people }: Expected): Promise<string[]> {
  const rows = await world.query<{ key: string; state: string }>(
    `SELECT key, state FROM _weir.audience_members WHERE audience = $1 AND destination = $2 AND state NOT IN ('removed', 'rejected')`,
    [audience, vendor.name],
  )
  const wanted = people.filter((person) => isWanted(person) || (vendor.isUpsert && isWanted({ ...person, hasLeft: false })))
  const isKept = ({ isInvalid }: Person) => vendor.names === 'nobody' || !isInvalid
  const state = vendor.names === 'each' ? 'confirmed' : 'accepted'
  const problems = difference(
    rows.map((row) => `${row.key} ${row.state}`),
    wanted.filter(isKept).map(({ n }) => `${n} ${state}`),
    'stands in the ledger',
  )
  const refused = await world.query<{ key: string }>(
    `SELECT key FROM _weir.audience_members WHERE audience = $1 AND destination = $2 AND state = 'rejected'`,
    [audience, vendor.name],
  )
  return [
    ...problems,
    ...difference(
      refused.map(({ key }) => key),
      wanted.filter((person) => !isKept(person)).map(({ n }) => String(n)),
      'is refused in the ledger',
    ),
  ]
}

function inSums({ name }: Vendor, { destinations }: PushEnd, sums: Partial<DestinationEnd>): string[] {
  const none = { sent: 0, accepted: 0, confirmed: 0, rejected: 0, removed: 0, dropped: 0, batches: 0, lastSeconds: 0 }
  const found = destinations.find(({ destination }) => destination === name) ?? none
  return Object.entries(sums).flatMap(([what, number]) =>
    found[what as keyof typeof none] === number
      ? []
      : [`its batches come to ${found[what as keyof typeof none]} ${what}, ${number} are right`],
  )
}

function difference(found: readonly string[], wanted: readonly string[], verb: string): string[] {
  const [there, right] = [new Set(found), new Set(wanted)]
  const missing = [...right].filter((one) => !there.has(one))
  const extra = [...there].filter((one) => !right.has(one))
  const example = (some: readonly string[]) => (some.length === 0 ? '' : ` (${some.slice(0, 3).join(', ')})`)
  return [
    ...(missing.length > 0 ? [`${missing.length} of ${right.size} are missing from what ${verb}${example(missing)}`] : []),
    ...(extra.length > 0 ? [`${extra.length} too many of what ${verb}${example(extra)}`] : []),
    ...(there.size < found.length ? [`${found.length - there.size} twice of what ${verb}`] : []),
  ]
}
