import type { Reason } from '../../src/core/failure.js'
import type { FailureLine } from '../../src/http/api.js'

/**
 * What a refusal means: one table, matched on code and subcode, whatever the status. The first line that fits counts. `type` says
 * OAuthException for nearly everything, and a refusal for the rate is a 400. Meta's error pages, and the retries of two open connectors,
 * read 2026-11-23.
 */

/**
 * What Meta gives no code of its own: code, its sentence for developers, and the word that stands for it in the table. If Meta rewords
 * one, the code's own line counts.
 */
export const tacit: readonly (readonly [code: number, pattern: RegExp, word: string])[] = [
  [1, /reduce the amount of data/i, 'reduce'],
  [100, /appsecret_proof/i, 'proof'],
  [100, /\bids query parameter/i, 'ids'],
  [100, /missing permissions?$/i, 'permissions'],
  [100, /beyond 37 months/i, 'retention'],
  [100, /cannot include .+ in summary param/i, 'summary'],
]

const line = (reason: Reason, hint: string, ...codes: (string | number)[]): FailureLine[] =>
  codes.map((code) => ({ code: String(code), reason, hint }))

const again = 'There is no refresh token at Meta: make a new token, best a system user’s, and set access_token.'
const grant = 'Give the token’s user this ad account with ads_read, or leave the account or stream out.'
const permissions = Array.from({ length: 100 }, (_, i) => 200 + i)

/** Codes of refusals for the rate: 80000 insights, 80003 audiences, 80004 ads management, and their neighbours. */
const rates = [4, 17, 32, 613, ...Array.from({ length: 15 }, (_, i) => 80_000 + i)]
export const throttles: ReadonlySet<number> = new Set(rates)

export const failures: readonly FailureLine[] = [
  ...line('auth', `The app was removed by the token’s owner. ${again}`, '190/458'),
  ...line('auth', 'Meta wants the token’s owner to log in at facebook.com once; then go on.', '190/459', '190/464'),
  ...line('auth', `The password was changed. ${again}`, '190/460'),
  ...line('auth', `The token has expired. ${again}`, '190/463'),
  ...line('auth', again, 190, 102, 2500),
  ...line('auth', 'Set app_secret to the secret of the app that the token belongs to.', '100/proof'),

  ...line('config', 'These breakdowns cannot be combined, or not with these fields.', '2/1504041'),
  ...line('config', 'A custom metric of the report is not valid.', '2/1504042'),
  ...line('config', 'This version is served no more: set api_version, or upgrade Weir.', 2635),
  ...line('config', 'Reports reach back 37 months: set a later start.', '100/retention'),
  ...line('config', 'Weir must not ask for several nodes at once: upgrade it.', '100/ids'),

  ...line(
    'permission',
    'Accept the Custom Audience Terms once, in Audiences of the Ads Manager; then push again.',
    '200/1870050',
    '200/1870090',
  ),
  ...line('config', 'Meta has flagged the audience and takes no change of it: look at it in Audiences, or name another.', '100/1713230'),
  ...line('config', 'The audience is as large as Meta lets one be: name another.', '2650/1870144'),
  ...line('permission', grant, '100/3191001', '100/permissions', 3, 10, ...permissions),
  ...line('permission', `It was removed, or is closed to the token. ${grant}`, '100/33', '100/2446289'),
  ...line(
    'permission',
    'Meta has blocked this for a breach of its policies, for a time: a person must look at it in Business Settings.',
    368,
  ),

  ...line('too_large', '', '100/1487534', '-3/1504045', '100/1504018', '2/1504038', '1/reduce', '1/99'),
  ...line('throttled', '', ...rates),
  // 2601: a finished report that cannot be read yet.
  ...line('transient', '', '100/summary', 1, 2, -2, 104, 341, 960, 2601, 'transient'),
  ...line('permanent', 'Look at Meta’s sentence: a field or parameter that it does not take.', 100),
  // The session is over: whoever asked takes another one. What else goes wrong with uploads passes with the next.
  ...line('permanent', '', '2650/1870159'),
  ...line('transient', '', 2650),
]
