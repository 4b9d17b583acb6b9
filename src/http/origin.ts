import { Failure } from '../core/failure.js'
import type { HttpRequest } from '../core/types.js'
import type { Api, Auth } from './api.js'

/** Where a request goes. A link that the vendor sent is kept as it is; whatever it says, it stays at the connection's origin. */
export function urlOf({ path, query }: HttpRequest, origin: URL, api: Api): URL {
  const isWhole = /^https?:\/\//i.test(path)
  const url = sameOrigin(isWhole ? path : new URL(origin.pathname.replace(/\/$/, '') + path, origin).href, origin, api)
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) url.searchParams.append(name, String(value))
  return url
}

/** Credentials go to the configured origin only; a link or redirect elsewhere is an error, whoever sent it. */
export function sameOrigin(href: string, origin: URL, api: Api): URL {
  const url = new URL(href)
  if (url.origin === origin.origin) return url
  throw new Failure(
    'config',
    `${api.name} pointed to ${url.origin}, but credentials go to ${origin.origin} only. If the vendor moved, set base_url.`,
  )
}

/** The token endpoint lies at the connection's own origin too, so that a base_url moves both. */
export function atOrigin(auth: Auth, api: Api, origin: URL): Auth {
  if (auth.kind !== 'oauth') return auth
  const url = new URL(auth.tokenUrl, api.origin)
  return url.origin === new URL(api.origin).origin ? { ...auth, tokenUrl: new URL(url.pathname, origin).href } : auth
}
