/**
 * A vendor that costs nothing: Klaviyo-shaped profiles, rendered once at start, pages cut from memory. It is there so that
 * a benchmark measures Weir and not its counterpart; it checks nothing and limits nothing (for that there is the sandbox).
 *
 *   node dist/bench/mock.js --port 18080 --rows 100000 [--latency 30]
 */
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const first = ['Sarah', 'Zoë', 'José', 'Mehmet', 'Anna', 'Olivia', 'Noah', 'Chloé', 'Jürgen', 'Aiko', 'Priya', 'Wei']
const last = ['Mason', "O'Brien", 'García', 'Müller', 'Yılmaz', 'Smith', 'Sato', 'Patel', 'Nguyen', 'Kowalski']
const city = ['Boston', 'İstanbul', 'São Paulo', 'München', 'Paris', 'London', 'Tokyo', 'Mumbai', 'Kraków', 'Madrid']
/** Profile i was changed at this second: 30 s apart, from 2024 on. */
const changedAt = (i: number) => Date.UTC(2024, 0, 1) / 1000 + 30 * (i + 1)
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00')
const mix = (i: number) => Math.imul(i + 1, 0x9e3779b1) >>> 0

/** One profile of about 1.4 KB, nested, with non-ASCII text and escapes in it, as the real ones. */
function profile(i: number, updated = changedAt(i)): string {
  const r = mix(i)
  const id = `01HKZB${i.toString(36).toUpperCase().padStart(20, '0')}`
  const url = `https://vendor.example/api/profiles/${id}`
  return JSON.stringify({
    type: 'profile',
    id,
    attributes: {
      email: `user${i}@example.com`,
      phone_number: `+1500555${String(r % 10_000).padStart(4, '0')}`,
      external_id: `ext-${i}`,
      first_name: first[r % first.length],
      last_name: last[(r >>> 4) % last.length],
      organization: `Example Corporation ${r % 5000}`,
      locale: 'en-US',
      title: 'Regional Manager',
      image: `https://images.example.com/profiles/${i}.jpg`,
      created: iso(updated - 15_552_000),
      updated: iso(updated),
      last_event_date: iso(updated - 3600),
      location: {
        address1: `${r % 9000} E Main Street`,
        address2: `Apt ${r % 900}`,
        city: city[r % city.length],
        country: 'United States',
        latitude: String((r % 18_000) / 100 - 90),
        longitude: (r % 36_000) / 100 - 180,
        region: 'NY',
        zip: String(r % 99_999).padStart(5, '0'),
        timezone: 'America/New_York',
        ip: `127.0.${r & 255}.${(r >>> 8) & 255}`,
      },
      properties: {
        pseudonym: `Dr. ${first[r % first.length]}`,
        plan: 'pro',
        loyalty_points: r % 100_000,
        accepts_marketing: r % 2 === 0,
        favorite_categories: ['shoes', 'outdoor', `sale-${r % 50}`],
        store: { id: r % 400, name: `Store "${r % 400}" \u2014 north` },
        signup_source: 'checkout',
      },
    },
    relationships: {
      lists: { links: { self: `${url}/relationships/lists/`, related: `${url}/lists/` } },
      segments: { links: { self: `${url}/relationships/segments/`, related: `${url}/segments/` } },
    },
    links: { self: `${url}/` },
  })
}

export interface Mock {
  url: string
  stop: () => Promise<void>
}

export async function startMock({ port = 0, rows, latencyMs = 0 }: { port?: number; rows: number; latencyMs?: number }): Promise<Mock> {
  const records: Buffer[] = []
  const times: number[] = []
  for (let i = 0; i < rows; i++) {
    records.push(Buffer.from(profile(i)))
    times.push(changedAt(i))
  }
  /** How many records changed at or before this second: they stand in order of it. */
  const upTo = (seconds: number) => Math.max(0, Math.min(times.length, Math.floor((seconds - changedAt(0)) / 30) + 1))
  let touched = 0
  const comma = Buffer.from(',')
  const counts = { requests: 0, bytes: 0 }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    const send = (body: Buffer) => {
      counts.requests++
      counts.bytes += body.length
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/vnd.api+json', 'content-length': body.length })
        response.end(body)
      }, latencyMs)
    }
    const json = (value: unknown) => send(Buffer.from(JSON.stringify(value)))
    if (url.pathname === '/_stats') return json(counts)
    if (url.pathname === '/_touch') {
      // Some records changed just now, in one second, after everything else.
      const share = Number(url.searchParams.get('percent') ?? 1) / 100
      const now = Math.floor(Date.now() / 1000) - 1
      touched = Math.round(rows * share)
      for (let i = 0; i < touched; i++) {
        records.push(Buffer.from(profile(i, now)))
        times.push(now)
      }
      return json({ touched })
    }
    if (url.pathname.startsWith('/api/accounts'))
      return json({ data: [{ type: 'account', id: 'bench', attributes: {} }], links: { next: null } })
    const filter = url.searchParams.get('filter') ?? ''
    if (!url.pathname.startsWith('/api/profiles') || filter.includes('suppression'))
      return json({ data: [], links: { self: url.href, next: null, prev: null } })
    const bound = (op: string) => {
      const match = new RegExp(`${op}\\(updated,([^)]+)\\)`).exec(filter)
      return match ? Date.parse(match[1]!.replace(' ', '+')) / 1000 : undefined
    }
    const over = bound('greater-than')
    const under = bound('less-than')
    const search = (limit: number | undefined, none: number) =>
      limit === undefined ? none : touched === 0 ? upTo(limit) : times.findLastIndex((at) => at <= limit) + 1
    const from = search(over, 0)
    const to = search(under === undefined ? undefined : under - 1, records.length)
    const size = Math.min(100, Number(url.searchParams.get('page[size]') ?? 20))
    const start = from + Number(url.searchParams.get('page[cursor]') ?? 0)
    const end = Math.min(to, start + size)
    const next = new URL(url)
    next.searchParams.set('page[cursor]', String(end - from))
    const parts: Buffer[] = [Buffer.from('{"data":[')]
    for (let i = start; i < end; i++) parts.push(records[i]!, i + 1 < end ? comma : Buffer.alloc(0))
    parts.push(
      Buffer.from(`],"links":{"self":${JSON.stringify(url.href)},"next":${end < to ? JSON.stringify(next.href) : 'null'},"prev":null}}`),
    )
    return send(Buffer.concat(parts))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://127.0.0.1:${bound}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '18080' },
      rows: { type: 'string', default: '100000' },
      latency: { type: 'string', default: '0' },
    },
  })
  const mock = await startMock({ port: Number(values.port), rows: Number(values.rows), latencyMs: Number(values.latency) })
  process.stdout.write(`${mock.url}\n`)
  process.on('SIGTERM', () => void mock.stop())
}
