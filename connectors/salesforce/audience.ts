/** People as records: any object, found by one of its own keys; and as members of campaigns. REST and Bulk 2.0 guides, read 2026-11-23. */
import * as z from 'zod'
import type { Destination } from '../../src/core/audience.js'
import { email, plain } from '../../src/identity/normalize.js'
import { addMembers, openCampaign, removeMembers } from './audience/campaign.js'
import { poll } from './audience/ingest.js'
import { add, openObject } from './audience/object.js'

const identifiers = { email: { normalize: email, hash: false }, external_id: { normalize: plain, hash: false } }
const needs = [['external_id'], ['email']] as const

/** A batch is one bulk job, and 10,000 rows are what Salesforce works on at once. */
const object: Destination = {
  kind: 'object',
  description: 'Records of an object, made or updated; found by a key of their own. Nobody is taken out.',
  modes: ['upsert'],
  identifiers,
  needs,
  names: true,
  batch: 10_000,
  takesFields: true,
  open: openObject,
  add,
  poll,
}

/** Five calls of 200. */
const campaign: Destination = {
  kind: 'campaign',
  description: 'A campaign: contacts or leads that are in the org become its members. Nobody is made.',
  modes: ['mirror', 'add', 'remove'],
  identifiers,
  needs,
  names: true,
  batch: 1_000,
  // Members lock their campaign.
  lanes: 1,
  open: openCampaign,
  add: addMembers,
  remove: removeMembers,
}

export const destinations = {
  object: {
    destination: object,
    keys: z.object({
      match: z
        .string({ error: 'expected a field such as Audience_Key__c' })
        .regex(/^\w+$/, 'expected a field’s API name, such as Audience_Key__c')
        .meta({
          kind: 'field',
          description:
            'The field by which records are found: an external id, filled from identity.external_id, or Email, from identity.email.',
        }),
    }),
  },
  campaign: {
    destination: campaign,
    keys: z.object({
      match: z
        .string({ error: 'expected Contact.Email or Lead.Email' })
        .regex(/^(Contact|Lead)\.\w+$/, 'expected Contact.Email, Lead.Email, or an external id of one of them')
        .meta({
          kind: 'object.field',
          description: 'Whom it takes, and the field by which they are found. Contact.Email, Lead.Email, or an external id.',
        }),
      status: z
        .string()
        .optional()
        .meta({ kind: 'text', description: 'Status of new members, one of the campaign’s own. Default: the campaign’s.' }),
    }),
  },
}
