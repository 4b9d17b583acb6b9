/** What may be written into a property. The codes of wrong values beyond the first two are guesses. */
import type { PropertyRow } from './rows.js'

export interface ValueProblem {
  isValid: false
  message: string
  error: string
  name: string
}

export function problemsOf(definitions: ReadonlyMap<string, PropertyRow>, given: Readonly<Record<string, unknown>>): ValueProblem[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const wrong = problemOf(name, definitions.get(name), String(value))
    return wrong ? [{ isValid: false as const, message: wrong[1], error: wrong[0], name }] : []
  })
}

const dayMs = 86_400_000

function problemOf(name: string, definition: PropertyRow | undefined, value: string): [error: string, message: string] | undefined {
  if (definition === undefined || definition.archived) return ['PROPERTY_DOESNT_EXIST', `Property "${name}" does not exist`]
  if (definition.readOnly) return ['READ_ONLY_VALUE', `"${name}" is a read only property; its value cannot be set.`]
  if (value === '') return undefined
  const { type, fieldType, options } = definition
  switch (type) {
    case 'enumeration': {
      const chosen = fieldType === 'checkbox' ? value.replace(/^;/, '').split(';') : [value]
      const isAllowed = (one: string) => options.length === 0 || options.some((option) => option.value === one)
      const allowed = options.map((option) => option.value).join(', ')
      return chosen.every(isAllowed) ? undefined : ['INVALID_OPTION', `${value} was not one of the allowed options: [${allowed}]`]
    }
    case 'number':
      return Number.isFinite(Number(value)) ? undefined : ['INVALID_NUMBER', `${value} was not a valid number.`]
    case 'bool':
      return value === 'true' || value === 'false' ? undefined : ['INVALID_BOOLEAN', `${value} was not a valid boolean.`]
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(value) || (/^-?\d+$/.test(value) && Number(value) % dayMs === 0)
        ? undefined
        : ['INVALID_DATE', `${value} was not a valid date.`]
    case 'datetime':
      return /^-?\d+$/.test(value) || (/^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(Date.parse(value)))
        ? undefined
        : ['INVALID_DATE', `${value} was not a valid timestamp.`]
    default:
      return name === 'email' && !/^[^\s@]+@[^\s@]+\.[a-z]{2,}$/i.test(value)
        ? ['INVALID_EMAIL', `Email address ${value} is invalid`]
        : undefined
  }
}
