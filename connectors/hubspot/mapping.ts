import type { FieldMap, FieldSource, Wanted } from '../../src/core/audience.js'
import { Failure } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { path } from './api.js'

/** How records are written: what tells them apart, and what mapped choices may be. */
export interface Mapped {
  object: string
  /** `email`, or a property with unique values. */
  match: string
  /** Values of mapped enumerations. */
  options: Record<string, string[]>
}

export const isContacts = (object: string): boolean => ['contacts', 'contact', '0-1'].includes(object.toLowerCase())

/** More choices than this are left to HubSpot to judge: they would have to stand in every run's row. */
const optionsMost = 500

/**
 * A destination's mapping beside the properties that the account has now.
 * @returns how to write, and what stands against it, field by field
 * @throws Failure `config` where there is no such object
 */
export async function mapped(http: Http, object: string, { map, settings }: Wanted): Promise<{ how: Mapped; problems: string[] }> {
  const request = { path: path(http, 'properties', `/${encodeURIComponent(object)}`), refusals: [400, 404] }
  const { status, body } = await http.request(request)
  if (status >= 400) throw new Failure('config', `HubSpot has no object ${JSON.stringify(object)}.`)
  const all = recordsAt('results')(body).filter(({ archived }) => archived !== true)
  const properties = new Map(all.map((property) => [String(property.name), property]))
  const match = String(settings.match ?? (isContacts(object) ? 'email' : ''))
  const fields = Object.entries(map).map(([field, source]) => ({ field, source, property: properties.get(field) }))
  const options = fields.flatMap(({ field, property }) => {
    const values = property ? optionsOf(property) : undefined
    return values && values.length <= optionsMost ? [[field, values] as const] : []
  })
  return {
    how: { object, match, options: Object.fromEntries(options) },
    problems: [
      ...matchProblem(object, match, properties.get(match)),
      ...fields.flatMap(({ field, source, property }) => {
        const problem = field === match ? 'it tells records apart, and is sent by itself' : fieldProblem(object, property, source)
        return problem === undefined ? [] : [`map.${field}: ${problem}`]
      }),
    ],
  }
}

function matchProblem(object: string, match: string, property: Rec | undefined): string[] {
  if (match === '') return [`match: ${object} have no property that always tells them apart; name one with unique values`]
  if (!property) return [`match: ${object} have no property ${JSON.stringify(match)}`]
  if (isContacts(object) && match === 'email') return []
  if (isReadOnly(property)) return [`match: ${match} is read-only`]
  return property.hasUniqueValue === true ? [] : [`match: values of ${match} are not unique`]
}

function fieldProblem(object: string, property: Rec | undefined, source: FieldSource | FieldMap): string | undefined {
  if (!property) return `${object} have no such property`
  if (isReadOnly(property)) return 'the property is read-only'
  if (typeof (source as { column?: unknown }).column === 'string') return undefined
  if (!('value' in source)) return 'a property holds no fields of its own'
  const wrong = unknownOption(optionsOf(property), textOf(source.value))
  return wrong === undefined
    ? undefined
    : `${JSON.stringify(wrong)} is none of its choices (${optionsOf(property)!.slice(0, 20).join(', ')})`
}

const isReadOnly = (property: Rec): boolean => property.calculated === true || at(property, 'modificationMetadata.readOnlyValue') === true

/** Undefined for what is no enumeration, or one whose choices stand elsewhere (owners). */
function optionsOf({ type, externalOptions, options }: Rec): string[] | undefined {
  if (type !== 'enumeration' || externalOptions === true || !Array.isArray(options) || options.length === 0) return undefined
  return (options as Rec[]).map(({ value }) => String(value))
}

/** The first of the choices in `text` (`a;b`, or `;c` to append) that is none; exact to the letter, as HubSpot has it. */
export function unknownOption(options: readonly string[] | undefined, text: string): string | undefined {
  if (!options || text === '' || options.includes(text)) return undefined
  return text
    .replace(/^;/, '')
    .split(';')
    .find((one) => !options.includes(one))
}

/** Every value is text. An empty one clears the property; null would say nothing. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(textOf).join(';')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
