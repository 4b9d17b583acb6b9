/** What was changed in an account: budgets and bids now and then, by people and scripts. */
import { day } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Json, Row } from './entities.js'
import type { World } from './rows.js'

const Changes = place('changes')
/** Times carry six digits of a second, and no zone. */
const wall = (ms: number, micros: number) =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}.${String(micros).padStart(6, '0')}`

interface Change {
  atMs: number
  micros: number
  type: 'CAMPAIGN_BUDGET' | 'AD_GROUP' | 'AD_GROUP_AD'
  resource: string
  row: Row
}

function* made({ entities, times, span, bulkChanges }: World): Iterable<Change> {
  const today = Math.floor(span.nowMs / day)
  for (const { campaign, row, groups } of entities.trees)
    for (let on = Math.max(today - 95, Math.floor(span.fromMs / day)); on <= today; on++) {
      const dice = new Dice(times.seed, Changes, campaign.n, on)
      const at = () => ({ atMs: on * day + dice.below(day), micros: dice.below(1_000_000) })
      if (dice.chance(0.15)) yield { ...at(), type: 'CAMPAIGN_BUDGET', resource: String(row.campaignBudget?.resourceName), row }
      for (const group of groups)
        if (dice.chance(0.05)) yield { ...at(), type: 'AD_GROUP', resource: String(group.row.adGroup?.resourceName), row: group.row }
    }
  const [first] = entities.trees
  if (first !== undefined)
    for (let n = 0; n < bulkChanges; n++)
      yield {
        atMs: (today - 1) * day + 9 * 3_600_000,
        micros: 0,
        type: 'AD_GROUP_AD',
        resource: `${String(first.row.customer?.resourceName)}/adGroupAds/1~${n}`,
        row: first.row,
      }
}

export function changesOf(from: 'change_status' | 'change_event', world: World): Row[] {
  const past = [...made(world)].filter(({ atMs }) => atMs <= world.span.nowMs)
  return from === 'change_event'
    ? past.map(event)
    : [...new Map(past.sort((a, b) => a.atMs - b.atMs).map((one) => [one.resource, status(one)])).values()]
}

const beside = ({ type, row }: Change): Json => ({
  campaign: row.campaign?.resourceName,
  ...(type === 'AD_GROUP' ? { adGroup: row.adGroup?.resourceName } : {}),
})

function event(change: Change): Row {
  const { atMs, micros, type, resource, row } = change
  const isBudget = type === 'CAMPAIGN_BUDGET'
  const value = (amount: number) =>
    isBudget ? { campaignBudget: { amountMicros: String(amount) } } : { adGroup: { cpcBidMicros: String(amount) } }
  return {
    ...row,
    changeEvent: {
      resourceName: `${String(row.customer?.resourceName)}/changeEvents/${atMs}${micros}~${resource.split('/').at(-1)}~1`,
      changeDateTime: wall(atMs, micros),
      changeResourceType: type,
      changeResourceName: resource,
      resourceChangeOperation: 'UPDATE',
      clientType: isBudget ? 'GOOGLE_ADS_WEB_CLIENT' : 'GOOGLE_ADS_SCRIPTS',
      userEmail: 'nora.berg@acme.example',
      changedFields: isBudget ? 'amountMicros' : 'cpcBidMicros',
      ...beside(change),
      oldResource: value(1_000_000 + (atMs % 1_000) * 10_000),
      newResource: value(2_000_000),
    },
  }
}

function status(change: Change): Row {
  const { atMs, micros, type, resource, row } = change
  return {
    ...row,
    changeStatus: {
      resourceName: `${String(row.customer?.resourceName)}/changeStatus/${type}-${resource.split('/').at(-1)}`,
      lastChangeDateTime: wall(atMs, micros),
      resourceType: type,
      // Of what was removed only this mark is left.
      resourceStatus: type === 'AD_GROUP_AD' && resource.endsWith('7') ? 'REMOVED' : 'CHANGED',
      ...beside(change),
    },
  }
}
