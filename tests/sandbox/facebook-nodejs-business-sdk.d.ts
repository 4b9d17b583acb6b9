/** The SDK has no types of its own: what the tests use of it. */
declare module 'facebook-nodejs-business-sdk' {
  type Data = Record<string, unknown>
  export class AbstractObject {
    [field: string]: unknown
    _data: Data
  }
  export class Cursor extends Array<AbstractObject> {
    hasNext(): boolean
    next(): Promise<Cursor>
  }
  export class AdReportRun extends AbstractObject {
    get(fields: string[]): Promise<AdReportRun>
    getInsights(fields: string[], parameters?: Data): Promise<Cursor>
  }
  export class AdAccount extends AbstractObject {
    constructor(id: string)
    get(fields: string[]): Promise<AdAccount>
    getAds(fields: string[], parameters?: Data): Promise<Cursor>
    getCampaigns(fields: string[], parameters?: Data): Promise<Cursor>
    getInsights(fields: string[], parameters?: Data): Promise<Cursor>
    getInsightsAsync(fields: string[], parameters?: Data): Promise<AdReportRun>
    createCustomAudience(fields: string[], parameters: Data): Promise<CustomAudience>
  }
  export class CustomAudience extends AbstractObject {
    constructor(id: string)
    get(fields: string[]): Promise<CustomAudience>
    createUser(fields: string[], parameters: Data): Promise<CustomAudience>
    deleteUsers(parameters: Data): Promise<Data>
    getSessions(fields: string[], parameters?: Data): Promise<Cursor>
  }
  export const FacebookAdsApi: { init(token: string, locale?: string, crashLog?: boolean): unknown }
}
