/**
 * User lists as destinations, by the Data Manager API: since 2026-04-01 new users cannot upload members by the Google Ads API. An upload is
 * taken or refused whole; what became of it is asked for later, and told in counts. google-ads-datamanager 0.9.4 and Google's pages, read 2026-11-23.
 */
import * as z from 'zod'
import type { Destination, Target, Wanted } from '../../src/core/audience.js'
import { dayMs } from '../../src/core/slices.js'
import type { Http } from '../../src/core/types.js'
import { country, foldedEmail, lower, phone, plain } from '../../src/identity/normalize.js'
import { accountId } from './api.js'
import { look, most, poll, type Upload, upload } from './uploads.js'
import { openList } from './user-lists.js'

const keys = z.object({
  customer_id: accountId
    .optional()
    .meta({ description: 'The account that has the list. Default: the only one that the connection reaches.' }),
  consent: z.enum(['granted', 'unspecified']).optional().meta({
    description:
      'What Google is told of consent to ads and their personalization. Default `granted`: give the audience a consent column, or know it otherwise.',
  }),
  membership_days: z
    .int()
    .min(1)
    .max(540)
    .optional()
    .meta({ description: 'How long a membership lasts in a list that is made here. Default 540, the most that Google allows.' }),
  status_after_seconds: z
    .int()
    .min(1)
    .max(3_600)
    .optional()
    .meta({ description: 'When Google is first asked what became of an upload. Default 1800, as Google advises.' }),
})

const list: Destination = {
  kind: 'list',
  description: 'A user list (Customer Match): hashed addresses, numbers and names go in by the Data Manager API, and Google matches them.',
  modes: ['mirror', 'add', 'remove'],
  identifiers: {
    email: { normalize: foldedEmail, hash: true },
    phone: { normalize: phone, hash: true },
    first_name: { normalize: lower, hash: true },
    last_name: { normalize: lower, hash: true },
    postal_code: { normalize: plain, hash: false, isKept: true },
    country: { normalize: country, hash: false, isKept: true },
  },
  needs: [['email'], ['phone'], ['first_name', 'last_name', 'postal_code', 'country']],
  names: false,
  batch: most.members * most.requests,
  // A batch is several requests already.
  lanes: 1,
  // Half of the longest membership; of a list with a shorter one half of that.
  renewAfterMs: 270 * dayMs,
  open,
  add: (http, target, members) => upload(http, target, 'ingest', members),
  remove: (http, target, members) => upload(http, target, 'remove', members),
  poll,
}

export const destinations = { list: { destination: list, keys } }

async function open(http: Http, wanted: Wanted): Promise<Target> {
  const { settings } = wanted
  const { id, name, isNew, durationMs, place } = await openList(http, wanted)
  const after = settings.status_after_seconds
  const upload: Upload = {
    ...place,
    consent: settings.consent === 'unspecified' ? 'unspecified' : 'granted',
    firstMs: typeof after === 'number' ? after * 1_000 : look.firstMs,
  }
  return { id, name, ...(isNew ? { isNew } : {}), renewAfterMs: Math.floor(durationMs / 2), with: { ...upload } }
}
