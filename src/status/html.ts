/** HTML that escapes what is put into it. */
export interface Html {
  readonly html: string
}
type Part = Html | string | number | undefined | false | readonly Part[]

/** A template whose values are escaped; those that are HTML already, and lists of them, stay as they are. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.reduce((all, text, i) => all + text + (i < parts.length ? textOf(parts[i]) : ''), '') }
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return ''
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
  return 'html' in part ? part.html : part.map(textOf).join('')
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign]!)

/** A link where there is an address, else the text alone. Only http and https lead anywhere. */
export const link = (text: string, url: string | undefined): Html =>
  url !== undefined && /^https?:\/\//.test(url) ? html`<a href="${url}">${text}</a>` : html`${text}`
