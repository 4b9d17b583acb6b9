/** What happens to a profile, and what stands in it beside the fixed fields. */
import type { Dice } from '../company/dice.js'
import type { Person } from '../company/people.js'
import type { Consent, Edit } from '../company/story.js'
import { iso, type ProfileRow, toSecond } from './rows.js'

export function edited(row: ProfileRow, { field, value }: Edit, atMs: number): ProfileRow {
  const updatedMs = Math.max(row.updatedMs, toSecond(atMs))
  if (field === 'title') return { ...row, title: String(value), updatedMs }
  if (field === 'city') return { ...row, location: { ...row.location, city: value }, updatedMs }
  return { ...row, properties: { ...row.properties, [field === 'plan' ? 'Plan' : field]: value }, updatedMs }
}

/** Subscribing moves `updated`; unsubscribing and being suppressed do not. */
export function consented(row: ProfileRow, consent: Consent): ProfileRow {
  const updatedMs = consent.state === 'subscribed' ? Math.max(row.updatedMs, toSecond(consent.atMs)) : row.updatedMs
  return { ...row, consent, suppressions: suppressed(row.suppressions, consent), updatedMs }
}

/** Subscribing lifts what the person did, not what the post office said. */
export function suppressed(before: ProfileRow['suppressions'], { reason, atMs, state }: Consent): ProfileRow['suppressions'] {
  if (state === 'subscribed') return before.filter((one) => one.reason === 'HARD_BOUNCE' || one.reason === 'INVALID_EMAIL')
  if (reason === undefined || before.some((one) => one.reason === reason)) return before
  return [...before, { reason, atMs: toSecond(atMs) }]
}

/** Free-form keys as people make them: capitals, blanks, dollars, dots, umlauts; one value in two types. */
export function profileProperties(who: Person, dice: Dice): Record<string, unknown> {
  const properties: Record<string, unknown> = {
    Plan: who.plan,
    seats: dice.chance(0.15) ? String(who.seats) : who.seats,
    interests: who.interests,
  }
  if (dice.chance(0.5)) properties.$source = dice.pick([-6, 'import', 'Shopify'])
  if (dice.chance(0.3)) properties['Favourite Colour'] = dice.pick(['blue', 'grün', 'rosé', null])
  if (dice.chance(0.25)) properties['last.order.total'] = dice.below(50_000) / 100
  if (dice.chance(0.15)) properties.Größe = dice.pick(['S', 'M', 'L', 38, 40])
  if (dice.chance(0.1)) properties['accepts_marketing?'] = dice.pick([true, false, 'yes'])
  if (dice.chance(0.08)) properties.plan = who.plan.toUpperCase() // beside `Plan`: they differ in case only
  if (dice.chance(0.05)) properties.pets = [{ name: 'Mäuschen 🐭', age: dice.below(9) }]
  if (dice.chance(0.04)) properties.birthday = iso(Date.UTC(1960 + dice.below(45), dice.below(12), 1 + dice.below(28))).slice(0, 10)
  return properties
}
