import * as z from 'zod'
import { Failure } from '../core/failure.js'
import type { Rec } from '../core/types.js'
import type { Consent } from '../http/consent.js'
import type { Scope } from '../http/scopes.js'

/** Keys of a connection whose vendor takes one key, or an OAuth app's. @param name the key's name, such as `api_key` */
export function keyOrApp(name: string, description: string) {
  return z
    .object({
      [name]: z.string().optional().meta({ secret: true, description }),
      client_id: z.string().optional().meta({ description: 'OAuth: the app’s id.' }),
      client_secret: z.string().optional().meta({ secret: true, description: 'OAuth: the app’s secret.' }),
      refresh_token: z.string().optional().meta({
        secret: true,
        description: 'OAuth: the first refresh token, rotated ones are kept by Weir; without it `weir connect` gets one.',
      }),
    })
    .refine(
      (given) => given[name] !== undefined || ['client_id', 'client_secret'].every((key) => given[key as keyof typeof given] !== undefined),
      { message: `give ${name}, or client_id and client_secret` },
    )
}

/** The refresh token of the settings; without one a person's consent gives it. */
export const firstToken = ({ refresh_token }: Readonly<Record<string, unknown>>): { refreshToken?: string } =>
  refresh_token === undefined ? {} : { refreshToken: String(refresh_token) }

/**
 * Google's consent page, as its OAuth pages for installed apps say it (read 2026-11-23).
 * @param always the scopes that a connection needs whatever is read
 */
export const googleConsent = (always: readonly Scope[]): Consent => ({
  page: () => 'https://accounts.google.com/o/oauth2/v2/auth',
  // A refresh token comes to offline apps only, and after the first time only where the person is asked anew.
  query: { access_type: 'offline', prompt: 'consent' },
  pkce: true,
  keeps: 'refresh_token',
  // Clients of the type "Desktop app" are led to this machine on any port, unregistered.
  loopback: { host: '127.0.0.1', anyPort: true },
  always,
  isDue: ({ refresh_token, service_account }) => refresh_token === undefined && service_account === undefined,
})

/** What is needed of the JSON key file of one of Google's service accounts. */
export interface KeyFile {
  email: string
  privateKey: string
  keyId: string | undefined
}

/** The key file in the setting `service_account`. @throws Failure `config` when it is none */
export function keyFile(json: string): KeyFile {
  const { client_email: email, private_key: privateKey, private_key_id: keyId } = parsed(json) ?? {}
  if (typeof email !== 'string' || typeof privateKey !== 'string')
    throw new Failure('config', 'service_account is not the JSON key file of a service account (client_email and private_key).')
  return { email, privateKey, keyId: typeof keyId === 'string' ? keyId : undefined }
}

function parsed(json: string): Rec | undefined {
  try {
    return JSON.parse(json) as Rec
  } catch {
    // The error would quote the key.
    return undefined
  }
}
