/** Troubles on request: each rule names which requests it touches, how many, and what happens to them. */
import type { Request } from './http.js'
import { pathFits } from './log.js'

export type Fault =
  /** 429 in the vendor's words. `retryAfter` goes into the header as it is; null or absent means no header. */
  | { kind: 'throttled'; retryAfter?: string | number | null }
  /** Any status; `html` is a page of the network's edge, `json` the vendor's own wording. */
  | { kind: 'status'; status: number; body?: 'json' | 'html' | 'empty'; headers?: Record<string, string> }
  /** The connection is reset before anything was sent, or after half of the body. */
  | { kind: 'reset'; when: 'before' | 'during' }
  /** Half a body: with a clean end, with a content-length that promised more, or as an unfinished chunked body. */
  | { kind: 'cut'; how: 'clean' | 'length' | 'chunk' }
  /** The answer comes late; with `drip`, then one byte every `ms`. */
  | { kind: 'slow'; ms: number; drip?: boolean }
  /** The request is read and never answered. */
  | { kind: 'hang' }
  | { kind: 'html' }
  | { kind: 'empty' }
  | { kind: 'broken-gzip' }
  | { kind: 'content-type'; type: string }
  | { kind: 'expired-token' }
  | { kind: 'expired-cursor' }
  /** The way to the next page points at another origin. */
  | { kind: 'next-host'; origin: string }
  | { kind: 'redirect'; origin: string; status?: number }
  /** `duplicate` and `empty` lead to the same page once more, so nothing is lost; `short` holds half of the records. */
  | { kind: 'page'; what: 'duplicate' | 'empty' | 'shuffled' | 'short' }
  /** Replaces text in the body: for JSON that no JSON writer would write. */
  | { kind: 'rewrite'; find: string; put: string }

export interface FaultRule {
  fault: Fault
  vendor?: string
  method?: string
  /** A path; `*` stands for any run of characters. */
  path?: string
  /** Parameters that must be there with this value. */
  query?: Record<string, string>
  /** How many requests are touched; 1 when not given, `Infinity` (null in JSON) for all. */
  count?: number | null
  /** Fitting requests that pass first. */
  skip?: number
}

interface ActiveRule extends FaultRule {
  id: number
  seen: number
  hits: number
}

export class Faults {
  private rules: ActiveRule[] = []
  private lastId = 0

  /** Adds a rule and gives its id. */
  add(rule: FaultRule): number {
    this.rules.push({ ...rule, id: ++this.lastId, seen: 0, hits: 0 })
    return this.lastId
  }

  remove(id: number): void {
    this.rules = this.rules.filter((rule) => rule.id !== id)
  }

  clear(): void {
    this.rules = []
  }

  /** All rules, with how many requests each has touched. */
  list(): readonly Readonly<ActiveRule>[] {
    return this.rules
  }

  /** What happens to this request: every delay that fits, and the first other fault. Counts as touched. */
  take(vendor: string, request: Request): Fault[] {
    const taken: Fault[] = []
    for (const rule of this.rules) {
      const delay = rule.fault.kind === 'slow'
      if (!delay && taken.some((fault) => fault.kind !== 'slow')) continue
      if (!fits(rule, vendor, request)) continue
      if (rule.seen++ < (rule.skip ?? 0)) continue
      if (rule.hits >= (rule.count === null ? Infinity : (rule.count ?? 1))) continue
      rule.hits++
      taken.push(rule.fault)
    }
    return taken
  }
}

function fits(rule: FaultRule, vendor: string, request: Request): boolean {
  if (rule.vendor !== undefined && rule.vendor !== vendor) return false
  if (rule.method !== undefined && rule.method !== request.method) return false
  if (rule.path !== undefined && !pathFits(rule.path, request.path)) return false
  // Who asks for a token does not show one.
  if (rule.fault.kind === 'expired-token' && !showsToken(request)) return false
  return Object.entries(rule.query ?? {}).every(([name, value]) => request.query.get(name) === value)
}

const showsToken = ({ headers, query }: Request): boolean =>
  query.has('access_token') || !/^(?:Basic .*)?$/.test(String(headers.authorization ?? ''))
