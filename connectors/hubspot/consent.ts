import type { Consent } from '../../src/http/consent.js'
import type { Scope } from '../../src/http/scopes.js'

const selling: readonly Scope[] = [['e-commerce', 'crm.objects.line_items.read']]
const ofContacts: readonly Scope[] = ['crm.objects.contacts.read']
const engagements = ['calls', 'emails', 'meetings', 'notes', 'tasks']

/** What HubSpot wants for an object, by its name; most objects have a scope of their own. */
export function scopesOf(object: string): readonly Scope[] {
  if (object === 'tickets') return ['tickets']
  if (object === 'emails') return [...ofContacts, 'sales-email-read']
  if (engagements.includes(object)) return ofContacts
  if (['products', 'line_items', 'quotes'].includes(object)) return selling
  // Objects of the account's own.
  if (/^(2-\d+|p\d+_\w+)$/.test(object)) return ['crm.objects.custom.read', 'crm.schemas.custom.read']
  return [`crm.objects.${object}.read`]
}

const written = (scope: string) => scope.replace(/^(crm\.objects\..+)\.read$/, '$1.write')

/** What it takes to look at an object's properties and write its records; `tickets` and `e-commerce` are for both. */
const toWrite = (object: string) =>
  scopesOf(object).flatMap((scope): Scope[] => [
    scope,
    typeof scope === 'string' ? written(scope) : [scope[0], ...scope.slice(1).map(written)],
  ])

const ofObjects = (...objects: readonly string[]) => [...new Set(objects.flatMap(scopesOf))]

/** Scopes of streams that are no objects: of what they read. */
const others: Readonly<Record<string, readonly Scope[]>> = {
  pipelines: ofObjects('deals', 'tickets'),
  lists: ['crm.lists.read'],
  list_memberships: ['crm.lists.read'],
  deal_associations: ofObjects('deals', 'contacts', 'companies', 'line_items'),
  ticket_associations: ofObjects('tickets', 'contacts', 'companies', 'deals'),
  contact_associations: ofObjects('contacts', 'companies'),
  company_associations: ofObjects('companies', 'contacts'),
  engagement_associations: ofObjects(...engagements, 'contacts', 'companies', 'deals', 'tickets'),
  contact_history: ofObjects('contacts'),
  company_history: ofObjects('companies'),
  deal_history: ofObjects('deals'),
  ticket_history: ofObjects('tickets'),
  marketing_emails: ['content'],
  email_events: ['content'],
  campaigns: ['marketing.campaigns.read'],
  forms: ['forms'],
  form_submissions: ['forms'],
}

/** What a stream needs; of one that a user made, its object. */
export const ofStream = (stream: string, custom?: Readonly<Record<string, unknown>>): readonly Scope[] =>
  custom ? scopesOf(String(custom.object)) : (others[stream] ?? scopesOf(stream))

/** HubSpot's consent page (its OAuth guide, read 2026-11-27). It demands every scope that the app was set to require, and knows no PKCE. */
export const consent: Consent = {
  page: () => 'https://app.hubspot.com/oauth/authorize',
  pkce: false,
  keeps: 'refresh_token',
  loopback: { host: 'localhost', anyPort: false },
  always: ['oauth'],
  ofStream,
  // Members of a list are contacts, which are made or updated first.
  ofDestination: (kind, target) => (kind === 'list' ? [...toWrite('contacts'), 'crm.lists.read', 'crm.lists.write'] : toWrite(target)),
  isDue: ({ access_token, refresh_token }) => access_token === undefined && refresh_token === undefined,
}
