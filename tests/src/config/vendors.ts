import * as z from 'zod'
import type { Vendors } from '../../../src/config/vendors.js'

const fields = { id: 'text', email: 'text', datetime: 'timestamp', properties: 'json' } as const
const profile = { fields, discovers: false, key: ['id'], ordering: ['datetime'] }
/** Only the vendor knows all fields. */
const custom = { ...profile, discovers: true }

const secret = () => z.string().min(3).meta({ secret: true })

/** Vendors as the registry would give them; nothing of the real connectors. */
export const vendors: Vendors = {
  klaviyo: {
    title: 'Klaviyo',
    settings: z
      .object({
        api_key: secret().describe('Private API key.').optional(),
        client_id: z.string().describe('OAuth client.').optional(),
        client_secret: secret().optional(),
        refresh_token: secret().optional(),
      })
      .refine(
        ({ api_key, client_id, client_secret, refresh_token }) => api_key !== undefined || (client_id && client_secret && refresh_token),
        {
          message: 'give api_key, or client_id, client_secret and refresh_token',
        },
      ),
    streams: {
      events: { ...profile, mode: 'merge', modes: ['merge', 'append', 'history'], isDefault: true, hasCursor: true },
      profiles: { ...profile, mode: 'merge', modes: ['merge', 'append', 'history'], isDefault: true, hasCursor: true },
      metrics: { ...profile, mode: 'replace', modes: ['replace'], isDefault: true, hasCursor: false },
      campaign_values: { ...profile, mode: 'replace_slice', modes: ['replace_slice'], isDefault: false, hasCursor: true },
    },
    defaultApiVersion: '2026-07-15',
    apiVersions: ['2026-07-15', '2026-01-15'],
  },
  hubspot: {
    title: 'HubSpot',
    settings: z.object({
      access_token: secret(),
      portal_id: z.coerce.number().optional(),
      accounts: z.object({ include: z.array(z.string()).optional() }).optional(),
      oauth_base_url: z.string().optional(),
    }),
    streams: {
      contacts: { ...custom, mode: 'merge', modes: ['merge', 'history'], isDefault: true, hasCursor: true },
      companies: { ...custom, mode: 'merge', modes: ['merge', 'history'], isDefault: true, hasCursor: true },
      deals: { ...custom, mode: 'merge', modes: ['merge', 'history'], isDefault: true, hasCursor: true },
      owners: { ...custom, mode: 'replace', modes: ['replace'], isDefault: true, hasCursor: false },
    },
    defaultApiVersion: '2026-09',
    apiVersions: ['2026-09', 'v3'],
  },
  google_ads: {
    title: 'Google Ads',
    settings: z.object({
      client_id: z.string(),
      client_secret: secret(),
      refresh_token: secret(),
      login_customer_id: z.string().optional(),
      accounts: z.object({ include: z.array(z.string()).optional(), exclude: z.array(z.string()).optional() }).optional(),
      oauth_base_url: z.string().optional(),
    }),
    streams: {
      campaigns: { ...profile, mode: 'replace_slice', modes: ['replace_slice', 'merge'], isDefault: true, hasCursor: false },
      campaign_daily: { ...profile, mode: 'replace_slice', modes: ['replace_slice', 'merge'], isDefault: true, hasCursor: true },
      ad_daily: { ...profile, mode: 'replace_slice', modes: ['replace_slice', 'merge'], isDefault: true, hasCursor: true },
    },
  },
}
