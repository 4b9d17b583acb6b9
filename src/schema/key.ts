import { ExactNumber } from '../core/types.js'
import { jsonText } from './json.js'

/** A record's key as letters name it: its text, or a JSON array of texts where it has several fields, so that no two keys read alike. */
export function keyText(values: Readonly<Record<string, unknown>>, key: readonly string[]): string {
  const texts = key.map((field) => {
    const value = values[field]
    return typeof value === 'object' && !(value instanceof ExactNumber) ? jsonText(value) : String(value)
  })
  return texts.length === 1 ? texts[0]! : JSON.stringify(texts)
}
