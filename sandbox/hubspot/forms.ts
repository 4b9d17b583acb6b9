/** Forms and what people sent with them. Submissions come newest first, with instants in milliseconds and without a contact's id. */
import { broughtBy, utmOf } from '../company/ads.js'
import { day } from '../company/catalogue.js'
import type { Company } from '../company/company.js'
import { place, roll, uuid } from '../company/dice.js'
import { iso } from './rows.js'

const F = place('hubspot form')

/** `hubspot` forms are shown by themselves; the other kinds only to those who ask for all. */
const forms = [
  { name: 'Newsletter sign-up', formType: 'hubspot', share: 0.25 },
  { name: 'Contact us – Größenberatung', formType: 'hubspot', share: 0.05 },
  { name: 'Demo request', formType: 'hubspot', share: 0.04 },
  { name: '#checkout-form (captured)', formType: 'captured', share: 0.12 },
  { name: 'Exit intent pop-up', formType: 'flow', share: 0.03 },
  { name: 'Nobody yet', formType: 'hubspot', share: 0 },
] as const

export const formGuid = ({ times }: Company, n: number) => uuid(times.seed, F, n)

export function showForms(company: Company, isAll: boolean): Record<string, unknown>[] {
  const { foundedMs } = company.times
  return forms.flatMap(({ name, formType }, n) =>
    formType === 'hubspot' || isAll
      ? [
          {
            id: formGuid(company, n),
            name,
            formType,
            createdAt: iso(foundedMs + n * 30 * day),
            updatedAt: iso(foundedMs + n * 60 * day),
            archived: false,
            fieldGroups: [
              { groupType: 'default_group', richTextType: 'text', fields: [{ name: 'email', fieldType: 'email', required: true }] },
            ],
            configuration: { language: 'en', cloneable: true },
            displayOptions: { theme: 'default_style', submitButtonText: 'Submit' },
            legalConsentOptions: { type: 'none' },
          },
        ]
      : [],
  )
}

/** Every submission of a form up to now, newest first; undefined for a form that is not there. */
export function submissionsOf(company: Company, guid: string): Record<string, unknown>[] | undefined {
  const n = forms.findIndex((_, i) => formGuid(company, i) === guid)
  const form = forms[n]
  if (form === undefined) return undefined
  const { seed } = company.times
  return company.people
    .filter((who) => who.crmEmail !== null && roll(seed, F, n, who.n) < form.share)
    .map((who) => {
      const utm = Object.entries(broughtBy(company.times, who) === undefined ? {} : utmOf(broughtBy(company.times, who) as never))
      const values = [['email', who.crmEmail], ['firstname', who.first], ...utm].map(([name, value]) => ({
        name,
        value,
        objectTypeId: '0-1',
      }))
      // Old ones have no id of their own.
      const id = who.n % 11 === 4 ? null : uuid(seed, F, n, who.n)
      return { conversionId: id, submittedAt: who.joinedAtMs, pageUrl: `https://shop.example/${form.formType}`, values }
    })
    .sort((a, b) => b.submittedAt - a.submittedAt)
}
