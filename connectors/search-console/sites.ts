import type { Http } from '../../src/core/types.js'
import { listed, listSites } from './api.js'

export interface Site {
  siteUrl: string
  /** siteOwner, siteFullUser, siteRestrictedUser; siteUnverifiedUser sees nothing. */
  permissionLevel: string
}

/** Every property that the credential's user has, also those that are closed to it. */
export async function sitesOf(http: Http): Promise<Site[]> {
  return listed('siteEntry')((await http.request(listSites(http))).body) as unknown as Site[]
}

export const isOpen = ({ permissionLevel }: Site) => permissionLevel !== 'siteUnverifiedUser'

/** Properties as the parents of slices: those that the user names, else all that are open. One that is closed or gone fails its own slice. */
export async function* siteUrls(http: Http): AsyncIterable<string> {
  const named = http.settings.sites as readonly string[] | undefined
  yield* named ?? (await sitesOf(http)).filter(isOpen).map(({ siteUrl }) => siteUrl)
}
