/** What the vendors' consent pages have in common: a page with a form for a person, and codes that are good once and for a short while. */
import { createHash } from 'node:crypto'
import type { Reply, Request } from './http.js'

/** What a person has agreed to. */
export interface Consented {
  /** What the app asked for. */
  query: URLSearchParams
  scopes: readonly string[]
}

/** No vendor's page names the life of a code that we could read; RFC 6749 recommends ten minutes at most. */
const lifeMs = 10 * 60_000

export class Codes {
  private readonly given = new Map<string, Consented & { endsAtMs: number }>()
  private issued = 0

  /** @param prefix how a vendor's codes begin */
  constructor(private readonly prefix: string) {}

  issue(consented: Consented): string {
    const code = `${this.prefix}${createHash('sha256')
      .update(`${this.prefix}${++this.issued}`)
      .digest('hex')
      .slice(0, 32)}`
    this.given.set(code, { ...consented, endsAtMs: Date.now() + lifeMs })
    return code
  }

  /** For one try, whatever comes of it: in time, to the same address, and with the verifier of its challenge. */
  redeem(code: string, redirect: string, verifier = ''): Consented | undefined {
    const known = this.given.get(code)
    this.given.delete(code)
    if (known === undefined || known.endsAtMs <= Date.now() || known.query.get('redirect_uri') !== redirect) return undefined
    const challenge = known.query.get('code_challenge')
    const isProven = challenge === null || createHash('sha256').update(verifier).digest('base64url') === challenge
    return isProven ? known : undefined
  }

  /** All codes given so far have ended. */
  expire(): void {
    for (const known of this.given.values()) known.endsAtMs = 0
  }
}

export interface ConsentPage {
  vendor: string
  codes: Codes
  scopes: readonly string[]
  /** What is told besides where a person refuses. */
  denied?: Readonly<Record<string, string>>
  /** What is told besides where a person agrees. */
  allowed?: (scopes: readonly string[]) => Readonly<Record<string, string>>
}

/**
 * The page on `GET`, the click on `POST`: `decision=allow` with a `scope` for each box that is ticked, or `decision=deny`. Boxes can be
 * unticked with every vendor, though with some a person cannot: so it goes with an app that was not given a scope.
 */
export function consent(request: Request, { vendor, codes, scopes, denied = {}, allowed = () => ({}) }: ConsentPage): Reply {
  if (request.method !== 'POST') return page(formOf(request, vendor, scopes))
  const form = new URLSearchParams(request.text)
  if (form.get('decision') !== 'allow') return back(request, { error: 'access_denied', ...denied })
  const granted = scopes.filter((scope) => form.getAll('scope').includes(scope))
  return back(request, { code: codes.issue({ query: request.query, scopes: granted }), ...allowed(granted) })
}

/** Leads the browser back to the app, with its state. */
export function back({ query }: Request, told: Readonly<Record<string, string>>): Reply {
  const to = new URL(query.get('redirect_uri') ?? '')
  for (const [name, value] of Object.entries(told)) to.searchParams.set(name, value)
  if (query.has('state')) to.searchParams.set('state', query.get('state') ?? '')
  return { status: 302, headers: { location: to.href } }
}

/** This machine, on any port: as if the app had it registered. Browsers are led nowhere else. */
export const isLoopback = (redirect: string | null): boolean => /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\//.test(redirect ?? '')

/** What a page says that leads nobody back. */
export const problemPage = (text: string): Reply => page(`<p>${escaped(text)}</p>`, 400)

function formOf({ url, query }: Request, vendor: string, scopes: readonly string[]): string {
  const boxes = scopes.map(
    (scope) => `<p><label><input type="checkbox" name="scope" value="${escaped(scope)}" checked> ${escaped(scope)}</label></p>`,
  )
  return `<h1>${vendor}, played by the sandbox</h1><p>The app ${escaped(query.get('client_id') ?? '')} asks for access to:</p>
<form method="post" action="${escaped(url)}">${boxes.join('\n')}
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Cancel</button></form>`
}

const page = (body: string, status = 200): Reply => ({
  status,
  body: `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Sandbox</title></head><body>${body}</body></html>\n`,
  contentType: 'text/html; charset=utf-8',
})
const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
