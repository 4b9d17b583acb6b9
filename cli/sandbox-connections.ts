import { googleAdsOAuth, hubspotToken, klaviyoKey, metaAdAccounts, metaApp, metaToken, salesforceToken } from '../sandbox/serve.js'

/** Keys with which a connection reaches the sandbox, beside `base_url`: no secrets, the same everywhere. @param url where it listens */
export const sandboxConnections: Readonly<Record<string, (url: string) => Readonly<Record<string, string | readonly string[]>>>> = {
  klaviyo: () => ({ api_key: klaviyoKey }),
  hubspot: () => ({ access_token: hubspotToken }),
  google_ads: (url) => ({
    oauth_base_url: url,
    client_id: googleAdsOAuth.clientId,
    client_secret: googleAdsOAuth.clientSecret,
    refresh_token: googleAdsOAuth.refreshToken,
    login_customer_id: '5555555555',
  }),
  meta: () => ({ access_token: metaToken, app_secret: metaApp.clientSecret, ad_accounts: metaAdAccounts }),
  salesforce: () => ({ access_token: salesforceToken }),
}
