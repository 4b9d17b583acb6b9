import { Failure } from '../core/failure.js'
import type { HttpRequest } from '../core/types.js'
import type { Api, Auth } from './api.js'

/** Where a request goes. A link that the vendor sent is kept as it is; whatever it says, it stays at the connection's origin. */
export function urlOf({ path, query }: HttpRequest, origin: URL, api: Api): URL {
  const link = path.trim()
  // A scheme, or `//host`: it names its host itself.
  const isWhole = /^(?:[a-z][a-z\d+.-]*:|[/\\]{2})/i.test(link)
  const prefix = origin.pathname.replace(/\/$/, '')
  const url = sameOrigin(isWhole ? link : `${prefix}${link.startsWith('/') ? '' : '/'}${link}`, origin, api)
  // An id out of a record may stand in a path: with `..` or a backslash in it the request would go somewhere else than it says.
  if (/\\|(?:^|\/)(?:\.|%2e){2}(?:\/|$)/i.test(link.split(/[?#]/, 1)[0]!))
    throw new Failure('config', `A path for ${api.name} holds ".." or a backslash, so that it would lead elsewhere: nothing was sent.`)
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) url.searchParams.append(name, String(value))
  return url
}

/** Credentials go to the configured origin only; a link or redirect elsewhere is an error, whoever sent it. */
export function sameOrigin(href: string, origin: URL, api: Api, base: URL = origin): URL {
  if (!URL.canParse(href, base.href)) throw new Failure('config', `${api.name} pointed to what is no address.`)
  const url = new URL(href, base)
  if (url.origin !== origin.origin)
    throw new Failure(
      'config',
      `${api.name} pointed to ${url.origin}, but credentials go to ${origin.origin} only. If the vendor moved, set base_url.`,
    )
  // A name in the address would replace the connection's own credential.
  url.username = ''
  url.password = ''
  return url
}

/** The token endpoint lies at the connection's own origin too, so that a base_url moves both; one that the user names stays. */
export function atOrigin(auth: Auth, api: Api, origin: URL): Auth {
  if (auth.kind !== 'oauth' || auth.isTokenUrlGiven) return auth
  const home = new URL(api.origin).origin
  const url = new URL(auth.tokenUrl, api.origin)
  const moves = url.origin === home || origin.origin !== home
  return moves ? { ...auth, tokenUrl: new URL(url.pathname, origin).href } : auth
}

/** A consent page has a host of its own, for browsers. Where the connection is on this machine, so is the page: the sandbox plays it too. */
export function pageAt(page: string, origin: URL): URL {
  const url = new URL(page)
  return isLoopback(origin) ? new URL(`${url.pathname}${url.search}`, origin) : url
}

/** Another host of the vendor, as the api names it. */
export function hostOf(name: string, origin: URL, api: Api, settings: Readonly<Record<string, unknown>>): URL {
  const host = api.hosts?.[name]
  if (!host) throw new Failure('bug', `${api.name} has no host "${name}".`)
  const given = settings[host.setting]
  if (given !== undefined) return new URL(String(given))
  return origin.origin === new URL(api.origin).origin ? new URL(host.origin) : origin
}

const isLoopback = ({ hostname }: URL) => /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
const isAddress = ({ hostname }: URL) => hostname.startsWith('[') || /^\d+(?:\.\d+){3}$/.test(hostname)

/**
 * Where the API is: what the token's answer named, else the connection's own origin.
 * @throws Failure `config` unless it is https at a name, or this machine when the connection is there, too
 */
export function homeOf(apiUrl: string | undefined, origin: URL, api: Api): URL {
  if (apiUrl === undefined) return origin
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : undefined
  const isSafe = url && (isLoopback(origin) ? isLoopback(url) : url.protocol === 'https:' && !isLoopback(url) && !isAddress(url))
  if (!isSafe) throw new Failure('config', `${api.name} named ${url?.origin ?? 'no address'} as its API: credentials do not go there.`)
  return url
}
