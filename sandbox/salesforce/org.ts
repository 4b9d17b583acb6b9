/** The org as one user sees it: objects and fields that are open to them, and the values of records. */
import { roll } from '../company/dice.js'
import type { Drift, DriftRule } from '../kit/drift.js'
import { refuse } from './errors.js'
import type { Cell, Row } from './rows.js'
import { field, type SField, type SObject } from './schema.js'
import type { Query } from './soql.js'
import type { SalesforceStore } from './store.js'

/** What a user may not see. `Contact` closes the object, `Contact.Phone` the field. */
export type Closed = ReadonlySet<string>

/** The bin is emptied after fifteen days. */
const binMs = 15 * 86_400_000

export class Org {
  /** Grows with every change of objects, fields and rights: describe answers 304 while it stays. */
  version = 0

  constructor(
    readonly store: SalesforceStore,
    private readonly drift: Drift,
    readonly nowMs: () => number,
  ) {
    drift.onAdd((rule) => this.learn(rule))
  }

  /** Drift of this vendor is an administrator's work: fields come, go, and change their type, in the definition too. */
  private learn(rule: DriftRule): void {
    const fields = this.store.schema.get(rule.of)?.fields
    if (rule.vendor !== 'salesforce' || fields === undefined) return
    this.version++
    const key = String(rule.key)
    const known = fields.get(key)
    if (rule.change === 'add')
      fields.set(key, field([key, typeof rule.value === 'number' ? 'double' : typeof rule.value === 'boolean' ? 'boolean' : 'string']))
    else if (rule.change === 'remove') fields.delete(key)
    else if (rule.change === 'rename' && known !== undefined) {
      fields.delete(key)
      fields.set(rule.to, { ...known, name: rule.to })
    } else if (rule.change === 'retype' && known !== undefined)
      fields.set(key, { ...known, type: rule.to === 'number' ? 'double' : rule.to === 'boolean' ? 'boolean' : 'string' })
  }

  /** Names are compared without regard to case, as SOQL does. */
  object(name: string, closed: Closed): SObject | undefined {
    const found =
      this.store.schema.get(name) ?? [...this.store.schema.values()].find((one) => one.name.toLowerCase() === name.toLowerCase())
    return found === undefined || closed.has(found.name) ? undefined : found
  }

  field(object: SObject, name: string, closed: Closed): SField | undefined {
    const found = object.fields.get(name) ?? [...object.fields.values()].find((one) => one.name.toLowerCase() === name.toLowerCase())
    return found === undefined || closed.has(`${object.name}.${found.name}`) ? undefined : found
  }

  fields = (object: SObject, closed: Closed): SField[] =>
    [...object.fields.values()].filter(({ name }) => !closed.has(`${object.name}.${name}`))

  /** The field at the end of a path such as `Account.Owner.Name`, or a refusal that shows the place. */
  resolve(query: Query, object: SObject, path: string, closed: Closed): { object: SObject; field: SField; parents: SField[] } {
    const parents: SField[] = []
    let at = object
    const steps = path.split('.')
    for (const step of steps.slice(0, -1)) {
      const link = [...at.fields.values()].find(({ relationship }) => relationship?.toLowerCase() === step.toLowerCase())
      const target = this.object(link?.referenceTo.at(-1) ?? '', closed)
      if (link === undefined || target === undefined)
        throw refuse(
          400,
          'INVALID_FIELD',
          shownAt(
            query,
            path,
            `Didn't understand relationship '${step}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name.`,
          ),
        )
      parents.push(link)
      at = target
    }
    const found = this.field(at, steps.at(-1) as string, closed)
    if (found === undefined)
      throw refuse(
        400,
        'INVALID_FIELD',
        shownAt(
          query,
          path,
          `No such column '${steps.at(-1)}' on entity '${at.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
        ),
      )
    return { object: at, field: found, parents }
  }

  isInBin({ deletedMs }: Row): boolean {
    return deletedMs !== null && deletedMs > this.nowMs() - binMs
  }

  /** Rows that a query sees: what is deleted or archived only by queryAll, and what has left the bin never. */
  *rows(object: SObject, all: boolean): Iterable<Row> {
    for (const row of this.store.table(object.name).values()) {
      if (row.deletedMs !== null && (!all || !this.isInBin(row))) continue
      if (!all && row.cells.IsArchived === true) continue
      yield row
    }
  }

  /** A row with its formulas, and as drift shows it. Instants stay milliseconds. */
  cells(object: SObject, row: Row): Readonly<Record<string, Cell | object>> {
    const own = this.drift.list().some((rule) => rule.vendor === 'salesforce' && rule.of === object.name)
    return own ? (this.drift.apply('salesforce', object.name, row.id, { ...row.cells }) as Record<string, Cell>) : row.cells
  }

  value(object: SObject, row: Row, { name, type, calculated }: SField): Cell | object {
    switch (name) {
      case 'Id':
        return row.id
      case 'IsDeleted':
        return row.deletedMs !== null
      case 'CreatedDate':
        return row.createdMs
      case 'LastModifiedDate':
        return row.modifiedMs
      case 'SystemModstamp':
        return row.stampMs
    }
    const cells = this.cells(object, row)
    if (calculated) return this.formula(object, row, name, cells)
    if (type === 'address' || type === 'location') return this.compound(object, name, cells)
    if (name === 'Name' && cells.Name === undefined) return [cells.FirstName, cells.LastName].filter((part) => part != null).join(' ')
    return cells[name] ?? (type === 'boolean' ? false : null)
  }

  private compound(object: SObject, name: string, cells: Readonly<Record<string, Cell | object>>): object | null {
    const parts = [...object.fields.values()].filter(({ compound }) => compound === name)
    const known = parts.map(
      (part) => [part.name.replace(/^(Billing|Mailing|HQ__)/, '').replace(/__s$/, ''), cells[part.name] ?? null] as const,
    )
    if (known.every(([, value]) => value === null)) return null
    return Object.fromEntries(known.map(([part, value]) => [part[0]?.toLowerCase() + part.slice(1), value]))
  }

  /** Worked out when it is looked at: a changed result moves no stamp. */
  private formula(object: SObject, row: Row, name: string, cells: Readonly<Record<string, Cell | object>>): Cell {
    const count = (of: string, test: (row: Row) => boolean) =>
      [...this.store.table(of).values()].filter((one) => one.deletedMs === null && test(one)).length
    switch (name) {
      case 'Revenue_per_Head__c':
        return cells.AnnualRevenue == null ? null : Math.round((Number(cells.AnnualRevenue) / Number(cells.NumberOfEmployees)) * 100) / 100
      case 'Email_Domain__c':
        return cells.Email == null ? null : (String(cells.Email).split('@')[1]?.toLowerCase() ?? null)
      case 'Days_as_Customer__c':
        return Math.floor((this.nowMs() - row.createdMs) / 86_400_000)
      case 'Score__c':
        return Math.floor(roll(1, row.createdMs / 1000) * 100)
      case 'Weighted_Amount__c':
        return cells.Amount == null ? null : Math.round(Number(cells.Amount) * Number(cells.Probability)) / 100
      case 'NumberOfLeads':
        return count('CampaignMember', (one) => one.cells.CampaignId === row.id && one.cells.LeadId != null)
      case 'NumberOfContacts':
        return count('CampaignMember', (one) => one.cells.CampaignId === row.id && one.cells.ContactId != null)
      case 'NumberOfOpportunities':
        return count('Opportunity', (one) => one.cells.CampaignId === row.id)
      case 'AmountWonOpportunities': {
        const won = [...this.store.table('Opportunity').values()].filter(
          (one) => one.cells.CampaignId === row.id && one.cells.IsWon === true,
        )
        return Math.round(won.reduce((sum, one) => sum + Number(one.cells.Amount ?? 0), 0) * 100) / 100
      }
      default:
        throw new Error(`${object.name} has no formula ${name}.`)
    }
  }
}

/** A refusal's text as the vendor writes it: the statement, a caret below the place, and where that is. */
export function shownAt({ soql }: Query, word: string, message: string): string {
  const at = Math.max(0, soql.search(new RegExp(`\\b${word.replace(/\./g, '\\.')}\\b`)))
  const from = Math.max(0, at - 30)
  return `\n${soql.slice(from, at + word.length + 20)}\n${' '.repeat(at - from)}^\nERROR at Row:1:Column:${at + 1}\n${message}`
}
