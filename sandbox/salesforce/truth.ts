/** What each stream holds now, as REST would show it to a user who sees all: the other side of a row-by-row comparison. */

import type { Column } from './find.js'
import type { Org } from './org.js'
import { restRecord } from './show.js'

type Json = Record<string, unknown>

export interface SalesforceTruth {
  accounts(): Json[]
  contacts(): Json[]
  leads(): Json[]
  opportunities(): Json[]
  opportunity_contact_roles(): Json[]
  opportunity_history(): Json[]
  campaigns(): Json[]
  campaign_members(): Json[]
  campaign_member_statuses(): Json[]
  tasks(): Json[]
  events(): Json[]
  cases(): Json[]
  users(): Json[]
  /** Any object by its name, what is in the bin included. */
  object(name: string): Json[]
}

export function truthOf(org: Org): SalesforceTruth {
  const object = (name: string) => {
    const found = org.store.schema.get(name)
    if (found === undefined) return []
    const columns: Column[] = [...found.fields.values()].map((field) => ({
      path: field.name,
      field,
      read: (row) => org.value(found, row, field),
    }))
    return [...org.rows(found, true)].map((row) => restRecord({ object: found, columns }, row, '68.0'))
  }
  const of = (name: string) => () => object(name)
  return {
    accounts: of('Account'),
    contacts: of('Contact'),
    leads: of('Lead'),
    opportunities: of('Opportunity'),
    opportunity_contact_roles: of('OpportunityContactRole'),
    opportunity_history: of('OpportunityHistory'),
    campaigns: of('Campaign'),
    campaign_members: of('CampaignMember'),
    campaign_member_statuses: of('CampaignMemberStatus'),
    tasks: of('Task'),
    events: of('Event'),
    cases: of('Case'),
    users: of('User'),
    object,
  }
}
