import { ExactNumber } from '../core/types.js'

/** JSON text of a value; big integers and exact numbers as the vendor wrote them, nesting of any depth. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // A TypeError for numbers that JSON.stringify does not write, a RangeError for nesting beyond its stack.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    return written(value)
  }
}

/** Without recursion: what is still to be written waits on a list, the next thing last. */
function written(whole: unknown): string {
  const parts: string[] = []
  const todo: ({ text: string } | { value: unknown })[] = [{ value: whole }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ('text' in next) parts.push(next.text)
    else if (typeof next.value !== 'object' || next.value === null || next.value instanceof ExactNumber) parts.push(scalar(next.value))
    else {
      const isList = Array.isArray(next.value)
      const items = isList
        ? (next.value as unknown[]).map((item) => ({ name: '', item }))
        : Object.entries(next.value)
            .filter(([, item]) => item !== undefined)
            .map(([key, item]) => ({ name: `${JSON.stringify(key)}:`, item }))
      parts.push(isList ? '[' : '{')
      todo.push({ text: isList ? ']' : '}' })
      for (let i = items.length - 1; i >= 0; i--) {
        const { name, item } = items[i]!
        todo.push({ value: item }, { text: `${i === 0 ? '' : ','}${name}` })
      }
    }
  }
  return parts.join('')
}

const scalar = (value: unknown): string =>
  typeof value === 'bigint' || value instanceof ExactNumber ? String(value) : (JSON.stringify(value) ?? 'null')

/** How deeply a JSON text is nested. */
export function nesting(text: string): number {
  let depth = 0
  let deepest = 0
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const mark = text[at]
    if (isText) {
      if (mark === '\\') at++
      else if (mark === '"') isText = false
    } else if (mark === '"') isText = true
    else if (mark === '[' || mark === '{') deepest = Math.max(deepest, ++depth)
    else if (mark === ']' || mark === '}') depth--
  }
  return deepest
}
