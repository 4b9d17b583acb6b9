/** By what reports may be broken down, and how an ad's day falls apart into it. */
import { Dice, place } from '../company/dice.js'
import { refuse } from './errors.js'

export type Shares = readonly (readonly [value: string, weight: number])[]

const hours: Shares = Array.from({ length: 24 }, (_, h) => {
  const two = (n: number) => String(n).padStart(2, '0')
  return [`${two(h)}:00:00 - ${two(h)}:59:59`, h < 6 ? 0.01 : 0.05] as const
})

const values: Record<string, (account: 0 | 1) => Shares> = {
  age: () => [
    ['18-24', 0.12],
    ['25-34', 0.3],
    ['35-44', 0.25],
    ['45-54', 0.17],
    ['55-64', 0.1],
    ['65+', 0.06],
  ],
  gender: () => [
    ['female', 0.55],
    ['male', 0.42],
    ['unknown', 0.03],
  ],
  country: (account) =>
    account === 0
      ? [
          ['DE', 0.7],
          ['AT', 0.12],
          ['FR', 0.18],
        ]
      : [
          ['US', 0.96],
          ['CA', 0.04],
        ],
  region: (account) =>
    account === 0
      ? [
          ['Bayern', 0.4],
          ['Berlin', 0.35],
          ['Île-de-France', 0.25],
        ]
      : [
          ['California', 0.5],
          ['New York', 0.5],
        ],
  comscore_market: (account) =>
    account === 0
      ? []
      : [
          ['New York', 0.6],
          ['Los Angeles', 0.4],
        ],
  publisher_platform: () => [
    ['facebook', 0.55],
    ['instagram', 0.4],
    ['audience_network', 0.05],
  ],
  platform_position: () => [
    ['feed', 0.6],
    ['story', 0.25],
    ['reels', 0.15],
  ],
  impression_device: () => [
    ['iphone', 0.5],
    ['android_smartphone', 0.4],
    ['desktop', 0.1],
  ],
  device_platform: () => [
    ['mobile_app', 0.8],
    ['mobile_web', 0.08],
    ['desktop', 0.12],
  ],
  product_id: () => [
    ['SKU-1', 0.7],
    ['SKU-2', 0.3],
  ],
  hourly_stats_aggregated_by_advertiser_time_zone: () => hours,
  hourly_stats_aggregated_by_audience_time_zone: () => hours,
  image_asset: () => [
    ['img-1', 0.6],
    ['img-2', 0.4],
  ],
  body_asset: () => [['body-1', 1]],
  frequency_value: () => [
    ['1', 0.7],
    ['2', 0.3],
  ],
}

/** Combinations that are allowed; the vendor's own list is not complete. */
const allowed: ReadonlySet<string> = new Set([
  ...Object.keys(values).filter((one) => one !== 'platform_position'),
  'age,gender',
  'impression_device,publisher_platform',
  'platform_position,publisher_platform',
  'impression_device,platform_position,publisher_platform',
  'device_platform,publisher_platform',
])

/** Since 2026-08-03 for advertisers who opted in only: a call at once gets empty data, not an error. */
export const needsOptIn: ReadonlySet<string> = new Set([
  'impression_device',
  'hourly_stats_aggregated_by_audience_time_zone',
  'frequency_value',
])

/** @throws Refused for what cannot be combined or does not exist. `dma` was removed on 2026-06-22. */
export function checkBreakdowns(breakdowns: readonly string[]): void {
  if (breakdowns.length === 0) return
  for (const one of breakdowns)
    if (values[one] === undefined)
      throw refuse({ code: 100, message: `(#100) breakdowns[0] must be one of the following values: ${Object.keys(values).join(', ')}` })
  if (!allowed.has([...breakdowns].sort().join(',')))
    throw refuse({
      code: 2,
      subcode: 1_504_041,
      message: `(#2) Current combination of data breakdown columns (${breakdowns.join(', ')}) is invalid`,
      title: 'Ungültige Kombination',
    })
}

/** One piece of an ad's day: the values of the breakdowns, and its share. */
export interface Piece {
  values: Record<string, unknown>
  share: number
}

const Missing = place('missing breakdown')

/** The pieces; their shares add up to one. Now and then a row lacks a key, and assets are objects. */
export function pieces(breakdowns: readonly string[], account: 0 | 1, seed: number, where: number, dayNumber: number): Piece[] {
  let found: Piece[] = [{ values: {}, share: 1 }]
  for (const breakdown of breakdowns) {
    const shares = values[breakdown]?.(account) ?? []
    found = found.flatMap((piece) =>
      shares.map(([value, share]) => ({
        values: { ...piece.values, [breakdown]: breakdown.endsWith('_asset') ? { id: value, name: value } : value },
        share: piece.share * share,
      })),
    )
  }
  if (breakdowns.includes('region') && new Dice(seed, Missing, where, dayNumber).chance(0.03)) delete found[0]?.values.region
  return found
}

/** A whole number cut by shares, so that the parts add up to it. */
export function cutBy(total: number, shares: readonly number[]): number[] {
  let given = 0
  let part = 0
  return shares.map((share, i) => {
    part += share
    const upTo = i === shares.length - 1 ? total : Math.round(total * part)
    const mine = upTo - given
    given = upTo
    return mine
  })
}
