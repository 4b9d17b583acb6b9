import type { TokenStore } from '../core/ports.js'
import { dayMs } from '../core/slices.js'
import type { Finding } from '../core/types.js'
import type { Auth } from './api.js'
import { belongs, notConnected, proofOf } from './kept.js'

/** A token that ends within so many days is worth a word: a person must give the next one. */
const warnDays = 14

/**
 * What `weir check` says of a credential that is kept, or would be: where it comes from and since when. Undefined for one that stands whole
 * in the settings.
 * @throws Failure `auth` where there is none yet, `config` where the kept one cannot be opened
 */
export async function whence(auth: Auth, connection: string, tokens: TokenStore, now: Date): Promise<Finding | undefined> {
  if (auth.kind === 'header') return undefined
  const name = 'credential'
  const proof = proofOf(auth)
  const stored = await tokens.read(connection)
  const what = auth.kind === 'token' ? 'token' : 'refresh token'
  if (stored && belongs(stored, proof) && (stored.consentedTo !== undefined || proof.isGiven)) {
    const from = stored.consentedTo === undefined ? `${what} of the settings, kept` : `${what} by \`weir connect\``
    const message = `${from}${stored.since === undefined ? '' : ` since ${stored.since}`}`
    // Of the others it is the access token that ends, which is renewed.
    const left = auth.kind === 'token' ? (Date.parse(stored.expiresAt) - now.getTime()) / dayMs : Number.POSITIVE_INFINITY
    if (left > warnDays) return { name, ok: true, message }
    return { name, ok: false, message: `${message}, until ${stored.expiresAt}`, hint: `Run \`weir connect ${connection}\` before it ends.` }
  }
  if (proof.isGiven) return { name, ok: true, message: `${what} of the settings` }
  // Some need none to be kept: the app alone, or what it signs.
  if (auth.kind === 'oauth' && (await auth.grant?.(undefined, now)) !== undefined) return undefined
  throw notConnected(connection)
}
