/** Removes what must not leave the process from a text that a person or a table will see. */
export type Redact = (text: string) => string

const email = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu
const phone = /\+\d[\d ().-]{6,18}\d/g
const bearer = /\b(?:Bearer|Basic|[\w-]+-API-Key)\s+[A-Za-z0-9._~+/=-]{6,}/gi

/**
 * A redactor by value: known secrets (and their forms in URLs, JSON and base64) become ***, and so do addresses, phone
 * numbers and authorization headers. `secrets` is asked each time, since tokens rotate.
 */
export function createRedact(secrets: () => Iterable<string>): Redact {
  return (text) => {
    let clean = text
    for (const secret of secrets()) {
      if (secret.length < 6) continue
      for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64(secret)])
        clean = clean.replaceAll(form, '***')
    }
    return clean
      .replace(bearer, (match) => `${match.split(/\s/)[0]} ***`)
      .replace(email, '***@***')
      .replace(phone, '+***')
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '')
