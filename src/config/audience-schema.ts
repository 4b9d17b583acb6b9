/** The keys of models and audiences, as zod types; what only another key can decide is decided in audience.ts. */
import * as z from 'zod'
import type { IdentifierKind } from '../core/audience.js'
import { aDuration, alertTargets, keys, oneOf, schedule, share, syncNames, text, whole, yesNo } from './schema.js'

export const model = keys({
  sql: text('a SELECT').meta({ kind: 'SQL' }).optional().describe('One SELECT; a row a person.'),
  sql_file: text('a path').meta({ kind: 'path' }).optional().describe('The file that holds it, relative to the file that names it.'),
  table: text('a table such as crm.people').meta({ kind: 'schema.table' }).optional().describe('A table or view, whole.'),
  key: text('a column').meta({ kind: 'column' }).describe('The column that tells people apart: never empty, never twice.'),
  depends_on: syncNames
    .optional()
    .describe('Whose tables it reads: `sync/NAME`, or `sync/NAME/STREAM`. Their age and their blocking checks may hold a push.'),
  quality: z
    .array(z.unknown(), { error: 'expected a list of checks, such as "- unique: email"' })
    .meta({ kind: 'list of checks' })
    .optional()
    .describe('What is checked of its rows before each push, by the column names of the model. `severity: block` holds the push.'),
})

const staleness = aDuration(60_000, 'a duration of at least 1m, such as 24h')

const column = (what: string) => text('a column of the model').meta({ kind: 'column' }).optional().describe(what)
const words = z
  .union([z.string(), z.array(z.string()).min(1)], { error: 'expected a text, or a list of texts' })
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .meta({ kind: 'text or list' })

const identifierKinds = [
  'email',
  'phone',
  'first_name',
  'last_name',
  'city',
  'region',
  'postal_code',
  'country',
  'external_id',
  'mobile_id',
] as const satisfies readonly IdentifierKind[]

const identity = keys({
  email: column('E-mail address.'),
  phone: column('Phone number: E.164, or as it is written in the person’s country or the default one.'),
  first_name: column('First name.'),
  last_name: column('Last name.'),
  city: column('City.'),
  region: column('State or region.'),
  postal_code: column('Post code.'),
  country: column('Country, ISO 3166 alpha-2.'),
  external_id: column('An id of your own, sent as it is where the vendor takes one.'),
  mobile_id: column('Advertising id of a mobile device.'),
  default_country: z
    .string({ error: 'expected a country such as DE' })
    .regex(/^[A-Z]{2}$/, 'expected a country of two capital letters, such as DE')
    .meta({ kind: 'country' })
    .optional()
    .describe('Country of phone numbers and addresses without one.'),
  hashed: z
    .array(z.enum(identifierKinds, { error: `expected ${identifierKinds.join(', ')}` }), { error: 'expected a list, such as [email]' })
    .meta({ kind: 'list of identifiers' })
    .optional()
    .describe(
      'Identifiers whose column holds SHA-256 in hex already. What looks hashed and is not named here is refused, never hashed again.',
    ),
})

const consent = keys({
  column: text('a column of the model')
    .meta({ kind: 'column' })
    .describe('Where the model says whether a person consents to this purpose.'),
  require: words.optional().describe('What consent is called. Default: granted, true. Anything else, and nothing, is no consent.'),
  refused: words
    .optional()
    .describe(
      'What a stated refusal is called: it removes at the next push whatever the gates say. Default: denied, refused, withdrawn, revoked, false.',
    ),
})

const bound = z
  .union(
    [
      z
        .string()
        .regex(/^\d+(\.\d+)?%$/)
        .transform((given) => ({ percent: Number(given.slice(0, -1)) })),
      whole(0, 1_000_000_000).transform((people) => ({ people })),
    ],
    { error: 'expected a share such as 20%, or a number of people' },
  )
  .meta({ kind: 'percentage or whole number' })

const gates = keys({
  min_size: whole(0, 1_000_000_000).optional().describe('A destination that would hold fewer people waits. Default 1.'),
  max_add: bound.optional().describe('More additions than this, of what the destination holds or in people, wait.'),
  max_remove: bound
    .optional()
    .describe('The same of removals; those that a person is owed (a refusal, a suppression) neither count nor wait. Default 50%.'),
  otherwise: oneOf('ask', 'hold', 'fail').optional().describe('Outside a gate: ask somebody, leave it, or fail. Default ask.'),
})

const approval = keys({
  when: z
    .array(oneOf('always', 'first_run', 'gate_exceeded'))
    .meta({ kind: 'list' })
    .optional()
    .describe('Pushes that somebody approves. Default: those that a gate holds.'),
  by: z
    .array(text('a name'))
    .meta({ kind: 'list of names' })
    .optional()
    .describe('Who may; never who asked for the push. Default: anybody else.'),
  expires: aDuration(60_000).optional().describe('Without a decision for so long the push is cancelled. Default 48h.'),
})

const suppression = keys({
  model: text('the name of a model').meta({ kind: 'name' }).describe('The model whose key names the suppressed.'),
  by: oneOf('key', 'email', 'phone').optional().describe('What that key is compared with. Default: the key of the audience’s model.'),
})

export const audience = keys({
  model: text('the name of a model').meta({ kind: 'name' }).describe('Whom it holds.'),
  identity: identity.describe('Which columns of the model people are known by.'),
  consent: consent.optional().describe('Only who consents is sent. Without it nobody is asked.'),
  suppress: z.array(suppression).meta({ kind: 'list' }).optional().describe('Who is never sent, whatever else holds.'),
  holdout: share('a percentage such as 10%').optional().describe('A share of people who are not sent, the same ones each time.'),
  gates: gates.optional().describe('Outside these bounds nothing is pushed.'),
  approval: approval.optional().describe('Pushes that somebody has to approve.'),
  every: aDuration(60_000, 'a duration of at least 1m, such as 6h')
    .optional()
    .describe('How often it is pushed, counted from midnight UTC on 1970-01-01. Either this, `schedule` or `after`. Default: by hand.'),
  schedule: schedule.optional().describe('When it is pushed, by the clock.'),
  after: syncNames.optional().describe('Push when each of these syncs (`sync/NAME`) has completed since the last push began.'),
  max_rejected: share('a percentage such as 5%')
    .optional()
    .describe('A push of which a destination refuses a larger share is told to those who listen to `rejections`. Default 5%.'),
  alerts: alertTargets.optional().describe('Whom to tell of its pushes. Default: the list of `defaults`; `[]` means nobody.'),
  max_staleness: z
    .union(
      [
        staleness.transform((max) => ({ max, otherwise: undefined })),
        keys({
          max: staleness.describe('How old what it depends on may be.'),
          otherwise: oneOf('hold', 'use_last').optional().describe('Older: hold the push, or push what is there and say so. Default hold.'),
        }),
      ],
      { error: 'expected a duration such as 24h, or { max: 24h, otherwise: use_last }' },
    )
    .meta({ kind: 'duration, or { max, otherwise }' })
    .optional()
    .describe('How old the tables of what it runs after, and of what its models depend on, may be when it is pushed.'),
  destinations: z
    .record(z.string(), z.unknown(), { error: 'expected destinations by name' })
    .meta({ kind: 'map by name' })
    .describe('Where they go.'),
})

/** Keys of every destination; the one that names the target is the vendor's (`list`, `custom_audience`), and so may others be. */
export const destinationShape = {
  connection: text('the name of a connection').meta({ kind: 'name' }).describe('The connection to push through.'),
  create: yesNo().optional().describe('Make the target where it is missing. Default false.'),
  mode: oneOf('mirror', 'add', 'remove', 'upsert')
    .optional()
    .describe(
      'Add and remove, only add, only remove, or keep records with fields up to date. Default: the first that the destination has.',
    ),
  map: z
    .record(z.string(), z.unknown(), { error: 'expected vendor fields as keys' })
    .meta({ kind: 'map by field' })
    .optional()
    .describe('Vendor’s field → column of the model, `{ column: …, as: … }`, `{ value: … }`, or a map of these.'),
}
