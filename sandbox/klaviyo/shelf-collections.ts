/** The smaller collections, revision 2026-07-15: what each may be asked for, and how much. */
import type { Collection } from './collection.js'
import { all, date, flag, full, listOf, text, thing } from './collections.js'
import type { ThingRow } from './rows.js'

type Given = Pick<Collection<ThingRow>, 'type' | 'tier' | 'scopes' | 'page' | 'fields'> & Partial<Collection<ThingRow>>
const collection = (given: Given): Collection<ThingRow> => ({ filters: {}, sorts: [], value: thing, ...given })
const words = (list: string) => list.split(' ')

export const forms = collection({
  type: 'form',
  tier: 'S',
  scopes: ['forms:read'],
  page: { standard: 20, max: 100 },
  filters: {
    id: text('any', 'equals'),
    name: text('any', 'contains', 'equals'),
    ab_test: flag,
    status: text('equals'),
    created_at: date(...all),
    updated_at: date(...all),
  },
  sorts: ['created_at', 'updated_at'],
  fields: words('name status ab_test created_at updated_at'),
})

export const tags = collection({
  type: 'tag',
  tier: 'S',
  scopes: ['tags:read'],
  page: { standard: 50, max: 50 },
  filters: { name: text('contains', 'equals') },
  sorts: ['id', 'name'],
  fields: ['name'],
  includes: ['tag-group'],
})

export const images = collection({
  type: 'image',
  tier: 'M',
  scopes: ['images:read'],
  page: { standard: 20, max: 100 },
  filters: { id: text('any', 'equals'), updated_at: date(...all) },
  sorts: ['id', 'name', 'updated_at'],
  fields: words('name image_url format size hidden updated_at'),
})

export const coupons = collection({
  type: 'coupon',
  tier: 'L',
  scopes: ['coupons:read'],
  page: { standard: 20, max: 100 },
  fields: words('external_id description monitor_configuration'),
})

export const catalogItems = collection({
  type: 'catalog-item',
  tier: 'XL',
  scopes: ['catalogs:read'],
  page: { standard: 100, max: 100 },
  sorts: ['created'],
  fields: words(
    'external_id title description price url image_full_url image_thumbnail_url images custom_metadata published created updated',
  ),
  includes: ['variants'],
})

const ofFlows = { tier: 'S', scopes: ['flows:read'], page: { standard: 50, max: 50 } } as const
const filters = { id: listOf('any'), created: full, updated: full }

export const flowActions = collection({
  ...ofFlows,
  type: 'flow-action',
  filters,
  sorts: words('created id updated'),
  fields: words('created updated definition'),
})

export const flowMessages = collection({
  ...ofFlows,
  type: 'flow-message',
  filters,
  sorts: words('created id name updated'),
  fields: words('channel created updated definition'),
})
