/** Parameters of a call: from the address, a form or a JSON body, all alike to Graph. Structured ones may come as JSON text. */
import { jsonObject, type Request } from '../kit/http.js'
import { invalidParameter } from './errors.js'

export type Parameters = ReadonlyMap<string, unknown>

export function parametersOf(request: Request): Parameters {
  const given = new Map<string, unknown>(request.query)
  if (request.text === '') return given
  const body = jsonObject(request)
  for (const [name, value] of body ? Object.entries(body) : new URLSearchParams(request.text)) given.set(name, value)
  return given
}

/** A parameter as text; undefined when it is missing or empty. */
export function textOf(parameters: Parameters, name: string): string | undefined {
  const value = parameters.get(name)
  if (value === undefined || value === null || value === '') return undefined
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** A structured parameter: an object or list, or either as JSON text. */
export function jsonOf(parameters: Parameters, name: string): unknown {
  const value = parameters.get(name)
  if (typeof value !== 'string') return value
  if (value === '') return undefined
  try {
    return JSON.parse(value)
  } catch {
    throw invalidParameter(`param ${name} must be valid JSON.`)
  }
}

/** A list: JSON, or words between commas. */
export function listOf(parameters: Parameters, name: string): string[] {
  const value = parameters.get(name)
  if (typeof value === 'string' && !value.startsWith('[')) return value.split(',').filter(Boolean)
  const list = jsonOf(parameters, name)
  return Array.isArray(list) ? list.map(String) : []
}
