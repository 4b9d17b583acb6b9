import { typed } from '../../src/extract/define.js'

/** Columns of what marketing has. */

/** Some of about 60; the others come as they are. */
export const email = typed({
  id: 'text',
  name: 'text',
  subject: 'text',
  state: 'text',
  type: 'text',
  subcategory: 'text',
  language: 'text',
  campaign: 'text',
  campaignName: 'text',
  from: 'json',
  to: 'json',
  isAb: 'boolean',
  isPublished: 'boolean',
  archived: 'boolean',
  sendOnPublish: 'boolean',
  publishDate: 'timestamp',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
  // counters, ratios, deviceBreakdown, qualifierStats
  stats: 'json',
})

const ofCampaign = {
  hs_name: 'text',
  hs_start_date: 'date',
  hs_end_date: 'date',
  hs_campaign_status: 'text',
  hs_utm: 'text',
  hs_notes: 'text',
  hs_audience: 'text',
  hs_currency_code: 'text',
} as const
export const campaignProperties = Object.keys(ofCampaign)
export const campaign = typed({ id: 'text', ...ofCampaign, businessUnits: 'json', createdAt: 'timestamp', updatedAt: 'timestamp' })

export const form = typed({
  id: 'text',
  name: 'text',
  formType: 'text',
  createdAt: 'timestamp',
  updatedAt: 'timestamp',
  archived: 'boolean',
  fieldGroups: 'json',
  configuration: 'json',
  displayOptions: 'json',
  legalConsentOptions: 'json',
})

export const submission = typed({
  form_id: 'text',
  id: 'text',
  submitted_at: 'timestamp',
  page_url: 'text',
  // [{ name, value, objectTypeId }]
  values: 'json',
})

export const emailEvent = typed({
  id: 'text',
  created: 'timestamp',
  // SENT, DELIVERED, OPEN, CLICK, BOUNCE, DROPPED, DEFERRED, SPAMREPORT, STATUSCHANGE, SUPPRESSED …
  type: 'text',
  recipient: 'text',
  portalId: 'text',
  appId: 'text',
  appName: 'text',
  emailCampaignId: 'text',
  sentBy: 'json',
  url: 'text',
  response: 'text',
  userAgent: 'text',
  deviceType: 'text',
})
