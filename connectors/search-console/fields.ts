import { typed } from '../../src/extract/define.js'

export const site = typed({ siteUrl: 'text', permissionLevel: 'text' })

export const sitemap = typed({
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

export const metrics = typed({ clicks: 'bigint', impressions: 'bigint', ctr: 'double', position: 'double' })

export const dimensions = typed({ date: 'date', page: 'text', query: 'text', country: 'text', device: 'text' })
