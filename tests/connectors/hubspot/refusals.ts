import type { Refusal } from '../refusals.js'

export const settings = { access_token: 'pat-1' }

/** HubSpot's envelope; bodies of its error pages, of its SDK's tests and of recordings in public repositories, read 2026-11-23. */
const said = (category: string, message: string, more: object = {}) => ({
  status: 'error',
  message,
  correlationId: '0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001',
  category,
  ...more,
})
/** Refusals for the rate carry `errorType`. */
const throttled = (policyName: string, message: string) => ({
  status: 'error',
  message,
  errorType: 'RATE_LIMIT',
  correlationId: '0190aaaa-bbbb-7ccc-8ddd-eeeeffff0002',
  policyName,
  groupName: 'publicapi:private_app-api-calls-ten-secondly:1001:999',
  requestId: '0190aaaa-bbbb-7ccc-8ddd-eeeeffff0003',
})
const scopes = (key: string) => ({
  errors: [{ message: 'One or more of the following scopes are required.', context: { [key]: ['crm.objects.deals.read'] } }],
  links: { scopes: 'https://developers.hubspot.com/scopes' },
})

export const refusals: readonly Refusal[] = [
  [400, said('VALIDATION_ERROR', 'There was a problem with the request.'), 'permanent', 'There was a problem with the request.'],
  [401, said('INVALID_AUTHENTICATION', 'Authentication credentials not found.'), 'auth', 'wrong, revoked or expired'],
  [401, said('EXPIRED_AUTHENTICATION', 'The OAuth token used to make this call expired 5 second(s) ago.'), 'auth', 'expired'],
  [
    403,
    said('MISSING_SCOPES', 'This app hasn’t been granted all required scopes.', scopes('requiredGranularScopes')),
    'permission',
    'crm.objects.deals.read',
  ],
  [
    403,
    said('MISSING_SCOPES', 'This app hasn’t been granted all required scopes.', scopes('requiredScopes')),
    'permission',
    'leave this stream out',
  ],
  [404, said('OBJECT_NOT_FOUND', 'resource not found'), 'permanent', 'gone'],
  [423, said('LOCKED', 'The resource is locked.'), 'transient', 'many changes'],
  [429, throttled('TEN_SECONDLY_ROLLING', 'You have reached your ten_secondly_rolling limit.'), 'throttled'],
  [429, throttled('DAILY', 'You have reached your daily limit.'), 'throttled'],
  [429, said('RATE_LIMITS', 'You have reached your secondly limit.'), 'throttled'],
  [477, said('MIGRATION_IN_PROGRESS', 'This hub is currently being migrated between data hosting locations.'), 'throttled', 'moving'],
  [530, said('DNS_ERROR', 'origin dns error'), 'config', 'address'],
  [502, said('INTERNAL_ERROR', 'internal error'), 'transient'],
]
