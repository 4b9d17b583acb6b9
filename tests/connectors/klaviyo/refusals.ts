import type { Refusal } from '../refusals.js'

export const settings = { api_key: 'pk_1' }

/** Klaviyo's error list, as its guide on errors and developers' reports show it, read 2026-11-23. */
const said = (status: number, code: string, title: string, detail: string) => ({
  errors: [{ id: '5f0c9b7e-0000-4000-8000-000000000001', status, code, title, detail, source: { pointer: '/data/' }, links: {}, meta: {} }],
})

export const refusals: readonly Refusal[] = [
  // Which of two statuses a missing or wrong key has, sources say differently.
  [
    400,
    said(400, 'not_authenticated', 'Authentication credentials were not provided.', 'Missing or invalid authorization scheme.'),
    'auth',
    'api_key',
  ],
  [
    400,
    said(400, 'authentication_failed', 'Incorrect authentication credentials.', 'Incorrect authentication credentials.'),
    'auth',
    'revoked',
  ],
  [
    401,
    said(401, 'authentication_failed', 'Incorrect authentication credentials.', 'Incorrect authentication credentials.'),
    'auth',
    'revoked',
  ],
  [
    401,
    said(401, 'not_authenticated', 'Authentication credentials were not provided.', 'Missing or invalid authorization scheme.'),
    'auth',
    'revoked',
  ],
  [
    403,
    said(
      403,
      'permission_denied',
      'You do not have permission to perform this action.',
      'The API key specified is missing required scopes.',
    ),
    'permission',
    'leave the stream out',
  ],
  [404, said(404, 'not_found', 'Not found.', 'A list with id Xy1 does not exist.'), 'permanent', 'deleted'],
  [410, said(410, 'gone', 'Gone.', 'The requested revision is no longer available.'), 'config', 'upgrade Weir'],
  [429, said(429, 'throttled', 'Request was throttled.', 'Request was throttled. Expected available in 0 seconds.'), 'throttled'],
  [400, said(400, 'invalid', 'Invalid input.', 'Invalid filter provided.'), 'permanent', 'Invalid filter provided.'],
  [500, said(500, 'error', 'A server error occurred.', 'A server error occurred.'), 'transient'],
]
