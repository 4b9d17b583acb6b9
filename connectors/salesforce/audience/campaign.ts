/** Members of campaigns: contacts or leads that are in the org already. */
import { type Answer, missingTarget, type Outcome, type Outgoing, refused, type Target, type Wanted } from '../../../src/core/audience.js'
import { chunks } from '../../../src/core/chunks.js'
import { Failure } from '../../../src/core/failure.js'
import type { Http, Rec } from '../../../src/core/types.js'
import { recordsAt } from '../../../src/extract/paginate.js'
import { path } from '../api.js'
import { fitsUrl } from '../soql.js'
import { erase, mostRecords, save } from './collections.js'
import { described, type FoundBy, keyField } from './describe.js'
import { isRefused, outcomesOf, type RowResult } from './rows.js'

/** Whom the campaign takes, and how they are found. */
interface Whom {
  person: 'Contact' | 'Lead'
  field: string
  by: FoundBy
  status?: string
}
const whomOf = (target: Target): Whom => target.with as unknown as Whom
const linkOf = ({ person }: Whom): 'ContactId' | 'LeadId' => `${person}Id`

export async function openCampaign(http: Http, { target, create, settings }: Wanted): Promise<Target> {
  const [person, field = ''] = String(settings.match).split('.') as [Whom['person'], string?]
  const { by } = keyField(await described(http, person), person, field)
  const campaign = (await found(http, target)) ?? (await made(http, target, create))
  const status = settings.status === undefined ? {} : { status: String(settings.status) }
  if (status.status !== undefined) await checkStatus(http, campaign, status.status)
  return { ...campaign, with: { person, field, by, ...status } }
}

async function found(http: Http, target: string): Promise<Target | undefined> {
  const isId = /^701\w{12}(\w{3})?$/.test(target)
  const rows = await query(http, `SELECT Id, Name FROM Campaign WHERE ${isId ? 'Id' : 'Name'} = ${literal(target)}`)
  // Salesforce compares without case.
  const named = rows.filter(({ Name }) => isId || Name === target)
  if (named.length > 1)
    throw new Failure(
      'config',
      `Salesforce has ${named.length} campaigns named ${JSON.stringify(target)}: name the one that is meant by its id.`,
    )
  return named[0] && { id: String(named[0].Id), name: String(named[0].Name) }
}

async function made(http: Http, name: string, create: boolean): Promise<Target> {
  if (!create) throw missingTarget(`Salesforce has no campaign ${JSON.stringify(name)}: create it there, or set "create: true".`)
  // Asked twice it would make two: who asks anew looks for it first.
  const { body } = await http.request({
    method: 'POST',
    path: path(http, '/sobjects/Campaign'),
    body: { Name: name, IsActive: true },
    once: true,
  })
  return { id: String(body.id), name, isNew: true }
}

async function checkStatus(http: Http, { id, name }: Target, status: string): Promise<void> {
  const rows = await query(http, `SELECT Label FROM CampaignMemberStatus WHERE CampaignId = ${literal(id)}`)
  const labels = rows.map(({ Label }) => String(Label))
  if (!labels.includes(status))
    throw new Failure(
      'config',
      `status: campaign ${JSON.stringify(name)} has no member status ${JSON.stringify(status)}; it has ${labels.join(', ')}.`,
    )
}

/** Who is a member already stays as they are, their status too. */
export async function addMembers(http: Http, target: Target, members: readonly Outgoing[]): Promise<Answer> {
  const whom = whomOf(target)
  const people = await peopleOf(http, whom, members)
  const outcomes: Outcome[] = []
  const found: { member: Outgoing; person: string }[] = []
  for (const member of members) {
    const ids = people.get(keyOf(whom, member)) ?? []
    if (ids.length === 1) found.push({ member, person: ids[0]! })
    else
      outcomes.push(
        refused(
          member.ref,
          ids.length === 0
            ? `No ${whom.person} has this ${whom.field}.`
            : `${ids.length} ${whom.person}s have this ${whom.field}: merge them.`,
        ),
      )
  }
  const record = (person: string): Rec => ({
    attributes: { type: 'CampaignMember' },
    CampaignId: target.id,
    [linkOf(whom)]: person,
    ...(whom.status === undefined ? {} : { Status: whom.status }),
  })
  const rows = new Map(found.map(({ person }) => [person, record(person)]))
  const saved = await save(http, { method: 'POST', path: '/composite/sobjects' }, rows)
  // The person's id, and not the membership's: somebody may take them out and in again.
  const results = new Map(found.map(({ member, person }) => [member.ref, memberOf(person, saved.get(person)!)]))
  return {
    outcomes: [
      ...outcomes,
      ...outcomesOf(
        found.map(({ member }) => member),
        results,
      ),
    ],
  }
}

const memberOf = (person: string, result: RowResult): RowResult =>
  isRefused(result) && !(result.code === 'DUPLICATE_VALUE' && /already a campaign member/i.test(result.message)) ? result : { id: person }

/** Who is no member of this campaign, and who is not in the org, is no failure. */
export async function removeMembers(http: Http, target: Target, members: readonly Outgoing[]): Promise<Answer> {
  const whom = whomOf(target)
  const people = await peopleOf(
    http,
    whom,
    members.filter(({ vendorId }) => vendorId === undefined),
  )
  const idsOf = (member: Outgoing) => (member.vendorId === undefined ? (people.get(keyOf(whom, member)) ?? []) : [member.vendorId])
  const link = linkOf(whom)
  const ids = [...new Set(members.flatMap(idsOf))]
  const where = `CampaignId = ${literal(target.id)} AND ${link}`
  const memberships = await lookUp(http, `SELECT Id, ${link} FROM CampaignMember WHERE ${where}`, ids)
  const personOf = new Map(memberships.map((row) => [String(row.Id), String(row[link])]))
  const kept = await erase(http, [...personOf.keys()])
  const results = new Map([...kept].map(([id, result]) => [personOf.get(id), result]))
  const keptMembers = members.filter((member) => idsOf(member).some((id) => results.has(id)))
  const byRef = new Map(keptMembers.map((member) => [member.ref, results.get(idsOf(member).find((id) => results.has(id))!)!]))
  return { outcomes: outcomesOf(keptMembers, byRef) }
}

const keyOf = ({ by }: Whom, { identifiers }: Outgoing): string => identifiers[by]?.toLowerCase() ?? ''

/** Ids of people, by what they are known by, in lower case as Salesforce compares it. */
async function peopleOf(http: Http, whom: Whom, members: readonly Outgoing[]): Promise<Map<string, string[]>> {
  const { person, field } = whom
  const keys = [...new Set(members.map((member) => keyOf(whom, member)).filter((key) => key !== ''))]
  // A converted lead is a contact now, and cannot be added.
  const open = person === 'Lead' ? 'IsConverted = false AND ' : ''
  const known = new Map<string, string[]>()
  for (const row of await lookUp(http, `SELECT Id, ${field} FROM ${person} WHERE ${open}${field}`, keys)) {
    const key = String(row[field]).toLowerCase()
    known.set(key, [...(known.get(key) ?? []), String(row.Id)])
  }
  return known
}

/** Rows whose last-named field is one of these, as many in a statement as a URL holds. */
async function lookUp(http: Http, start: string, values: readonly string[]): Promise<Rec[]> {
  const rows: Rec[] = []
  const ask = async (some: readonly string[]): Promise<void> => {
    const soql = `${start} IN (${some.map(literal).join(',')})`
    if (fitsUrl(soql) || some.length === 1) rows.push(...(await query(http, soql)))
    else for (const half of chunks(some, Math.ceil(some.length / 2))) await ask(half)
  }
  for (const some of chunks(values, mostRecords)) await ask(some)
  return rows
}

/** Of records that are not in the bin. */
async function query(http: Http, soql: string): Promise<Rec[]> {
  const rows: Rec[] = []
  let { body } = await http.request({ path: path(http, '/query'), query: { q: soql } })
  rows.push(...recordsAt('records')(body))
  while (typeof body.nextRecordsUrl === 'string') {
    body = (await http.request({ path: body.nextRecordsUrl })).body
    rows.push(...recordsAt('records')(body))
  }
  return rows
}

const literal = (text: string): string => `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`
