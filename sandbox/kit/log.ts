/** What was asked of the sandbox and what it answered. */
export interface LoggedRequest {
  vendor: string
  method: string
  path: string
  /** Decoded parameters; a repeated one is joined by commas. */
  query: Record<string, string>
  headers: Record<string, string>
  /** 0 when the connection was cut before a status could be sent. */
  status: number
  /** Wall-clock milliseconds, whatever the sandbox's clock says. */
  receivedAtMs: number
  tookMs: number
  /** The kind of fault that touched the answer, if one did. */
  fault?: string
}

export interface RequestFilter {
  vendor?: string
  method?: string
  /** A path, or the beginning of one when it ends in `*`. */
  path?: string
  status?: number
  sinceMs?: number
}

/** The oldest entries go when the log is full: a benchmark must not fill the memory. */
const kept = 100_000

export class RequestLog {
  private entries: LoggedRequest[] = []

  add(entry: LoggedRequest): void {
    this.entries.push(entry)
    if (this.entries.length > kept * 1.2) this.entries = this.entries.slice(-kept)
  }

  find(filter: RequestFilter = {}): LoggedRequest[] {
    return this.entries.filter(
      (entry) =>
        (filter.vendor === undefined || entry.vendor === filter.vendor) &&
        (filter.method === undefined || entry.method === filter.method) &&
        (filter.path === undefined || pathFits(filter.path, entry.path)) &&
        (filter.status === undefined || entry.status === filter.status) &&
        (filter.sinceMs === undefined || entry.receivedAtMs >= filter.sinceMs),
    )
  }

  clear(): void {
    this.entries = []
  }
}

/** `*` stands for any run of characters, slashes too. */
export function pathFits(pattern: string, path: string): boolean {
  if (!pattern.includes('*')) return pattern === path
  const parts = pattern.split('*')
  let at = 0
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string
    if (i === 0) {
      if (!path.startsWith(part)) return false
      at = part.length
    } else if (i === parts.length - 1) {
      return path.length - part.length >= at && path.endsWith(part)
    } else {
      const found = path.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
  }
  return true
}
