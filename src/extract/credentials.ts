import { z } from 'zod'

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
