import { z } from 'zod'

/** Keys of a connection whose vendor takes one key, or the three of an OAuth app. @param name the key's name, such as `api_key` */
export function keyOrApp(name: string, description: string) {
  return z
    .object({
      [name]: z.string().optional().meta({ secret: true, description }),
      client_id: z.string().optional().meta({ description: 'OAuth: the app’s id.' }),
      client_secret: z.string().optional().meta({ secret: true, description: 'OAuth: the app’s secret.' }),
      refresh_token: z
        .string()
        .optional()
        .meta({ secret: true, description: 'OAuth: the first refresh token; rotated ones are kept by Weir.' }),
    })
    .refine(
      (given) =>
        given[name] !== undefined ||
        ['client_id', 'client_secret', 'refresh_token'].every((key) => given[key as keyof typeof given] !== undefined),
      {
        message: `give ${name}, or client_id, client_secret and refresh_token`,
      },
    )
}
