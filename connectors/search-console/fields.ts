import type { Fields, FieldType } from '../../src/core/types.js'

const of = (types: Readonly<Record<string, FieldType>>): Fields =>
  Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]))

export const site = of({ siteUrl: 'text', permissionLevel: 'text' })

export const sitemap = of({
  site_url: 'text',
  path: 'text',
  type: 'text',
  isSitemapsIndex: 'boolean',
  isPending: 'boolean',
  lastSubmitted: 'timestamp',
  lastDownloaded: 'timestamp',
  // int64, hence text in JSON.
  warnings: 'bigint',
  errors: 'bigint',
  contents: 'json',
})

export const metrics = of({ clicks: 'bigint', impressions: 'bigint', ctr: 'double', position: 'double' })

export const dimensions = of({ date: 'date', page: 'text', query: 'text', country: 'text', device: 'text' })
