/**
 * What the same data costs without Weir, in a process of its own: `fetch` reads and parses every page, `copy` writes ready
 * lines into PostgreSQL. Prints one line of JSON.
 *
 *   node dist/bench/limits.js fetch MOCK_URL | copy MOCK_URL DATABASE_URL
 */
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

const [mode, mockUrl = '', databaseUrl = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })

const page = (url: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks)))
      response.on('error', reject)
    }).on('error', reject)
  })

interface Body {
  data: { id: string; attributes: Record<string, unknown> }[]
  links: { next: string | null }
}

async function* pages(): AsyncIterable<Body['data']> {
  let pending: Promise<Buffer> | undefined = page(`${mockUrl}/api/profiles?page%5Bsize%5D=100`)
  while (pending) {
    const body = JSON.parse((await pending).toString('utf8')) as Body
    pending = body.links.next ? page(body.links.next) : undefined
    yield body.data
  }
}

let rows = 0
let seconds = 0
if (mode === 'fetch') {
  const startedAt = performance.now()
  for await (const data of pages()) rows += data.length
  seconds = (performance.now() - startedAt) / 1000
} else {
  // Ready lines: nothing is left to do but to send them.
  const lines: string[] = []
  const cell = (value: unknown) =>
    value === null || value === undefined
      ? '\\N'
      : (typeof value === 'object' ? JSON.stringify(value) : String(value))
          .replaceAll('\\', '\\\\')
          .replaceAll('\t', '\\t')
          .replaceAll('\n', '\\n')
  const names = [
    'email',
    'phone_number',
    'external_id',
    'first_name',
    'last_name',
    'organization',
    'locale',
    'title',
    'image',
    'created',
    'updated',
    'last_event_date',
    'location',
    'properties',
  ]
  for await (const data of pages())
    for (const { id, attributes } of data) lines.push([id, ...names.map((name) => cell(attributes[name]))].join('\t'))
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const types = names.map(
    (name) =>
      `${name} ${['created', 'updated', 'last_event_date'].includes(name) ? 'timestamptz' : ['location', 'properties'].includes(name) ? 'jsonb' : 'text'}`,
  )
  await client.query(`DROP TABLE IF EXISTS public.bench_copy; CREATE TABLE public.bench_copy (id text PRIMARY KEY, ${types.join(', ')})`)
  const startedAt = performance.now()
  const stream = client.query(copyFrom(`COPY public.bench_copy (id, ${names.join(', ')}) FROM STDIN`))
  for (let at = 0; at < lines.length; at += 5_000)
    if (!stream.write(`${lines.slice(at, at + 5_000).join('\n')}\n`)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'finish')
  seconds = (performance.now() - startedAt) / 1000
  rows = lines.length
  await client.query('DROP TABLE public.bench_copy')
  await client.end()
}
agent.destroy()
process.stdout.write(`${JSON.stringify({ rows, seconds })}\n`)
