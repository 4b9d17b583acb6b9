/** The only list of stand-ins: the type of a connection → the vendor in small. */
import { googleAdsStandIn } from './google-ads.js'
import { hubspotStandIn } from './hubspot.js'
import { klaviyoStandIn } from './klaviyo.js'
import { metaStandIn } from './meta.js'
import { salesforceStandIn } from './salesforce.js'
import { searchConsoleStandIn } from './search-console.js'

export const vendors = {
  klaviyo: klaviyoStandIn,
  hubspot: hubspotStandIn,
  google_ads: googleAdsStandIn,
  meta: metaStandIn,
  salesforce: salesforceStandIn,
  search_console: searchConsoleStandIn,
}
