/** What stands in a message where a credential stood. */
const mark = '***'
/** Vendors that quote a key may quote its beginning only. */
const prefix = 12
/** Shorter ones would blacken ordinary words. */
const shortest = 6

/** Removes what proves who we are from a text, in whatever form a vendor quotes it. */
export interface Mask {
  /** Knows these headers' values from now on, and the word after a scheme such as `Bearer`. */
  learn: (...values: readonly string[]) => void
  of: (text: string) => string
}

export function createMask(): Mask {
  const known = new Set<string>()
  let pattern: RegExp | undefined
  return {
    learn(...values) {
      for (const value of values) {
        if (known.has(value)) continue
        known.add(value)
        pattern = patternOf(known)
      }
    },
    of: (text) => (pattern ? text.replace(pattern, mark) : text),
  }
}

function patternOf(values: Iterable<string>): RegExp | undefined {
  const forms = new Set<string>()
  for (const value of values) {
    const secret = value.slice(value.lastIndexOf(' ') + 1)
    if (secret.length < shortest) continue
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '')
    for (const form of [secret, encodeURIComponent(secret), base64, Buffer.from(secret).toString('base64url')])
      forms.add(`${escaped(form.slice(0, prefix))}${form.length > prefix ? String.raw`[\w%+/=.~-]*` : ''}`)
  }
  return forms.size === 0 ? undefined : new RegExp([...forms].join('|'), 'g')
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
