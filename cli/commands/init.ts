import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { hubspotToken, klaviyoKey } from '../../sandbox/serve.js'
import { jsonSchema } from '../../src/config/json-schema.js'
import { metaOf } from '../../src/config/secrets.js'
import type { Vendors } from '../../src/config/vendors.js'
import { Failure } from '../../src/core/failure.js'
import type { Printer } from '../print.js'
import { loadVendors } from '../vendors.js'

const sandboxUrl = 'http://127.0.0.1:18790'
/** What the sandbox takes: no secrets, the same everywhere. */
const sandboxCredentials: Record<string, string> = { klaviyo: klaviyoKey, hubspot: hubspotToken }

/** Writes a project to start from: `weir.yaml`, `.env` with a line for each secret (filled in for the sandbox), `.gitignore`, and the schema for editors. */
export async function run({
  options,
  printer,
  args,
}: {
  options: { vendor: string[]; sandbox?: boolean }
  printer: Printer
  args: string[]
}): Promise<number> {
  const folder = resolve(args[0] ?? '.')
  const vendors = await loadVendors()
  for (const type of options.vendor) {
    if (!vendors[type]) throw new Failure('config', `No vendor "${type}". There are ${Object.keys(vendors).join(', ')}.`)
    if (options.sandbox && !sandboxCredentials[type])
      throw new Failure('config', `The sandbox does not play ${type}. It plays ${Object.keys(sandboxCredentials).join(', ')}.`)
  }
  if (existsSync(join(folder, 'weir.yaml'))) throw new Failure('config', `${join(folder, 'weir.yaml')} exists already; it was left alone.`)
  await mkdir(folder, { recursive: true })
  const isSandbox = options.sandbox ?? false
  const secrets = options.vendor.map((type) => ({ type, keys: mainSecrets(vendors, type) }))
  const files: Record<string, string> = {
    'weir.yaml': projectFile(secrets, isSandbox),
    '.env': `${secrets.flatMap(({ type, keys }) => keys.map((key) => `${variable(type, key)}=${isSandbox ? sandboxCredentials[type] : ''}`)).join('\n')}\n`,
    '.gitignore': '.env\n.weir/\n',
    'weir.schema.json': `${JSON.stringify(jsonSchema(vendors), null, 2)}\n`,
  }
  const written: string[] = []
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    if (existsSync(path)) printer.note(`${path} exists already; it was left alone.`)
    else {
      await writeFile(path, text, { mode: name === '.env' ? 0o600 : 0o644 })
      written.push(path)
    }
  }
  printer.json({ written })
  for (const path of written) printer.line(`wrote ${path}`)
  if (isSandbox) printer.line('\nNext, in another terminal, the vendors that this project asks: weir sandbox')
  else printer.line(`\nNext: fill in ${join(folder, '.env')}`)
  printer.line(`Then: cd ${folder} && weir check && weir sync`)
  return 0
}

const variable = (type: string, key: string) => `${type}_${key}`.toUpperCase()

/** The secrets of the simplest way in: a vendor's first secret key. */
function mainSecrets(vendors: Vendors, type: string): string[] {
  const shape = vendors[type]!.settings.shape
  const first = Object.keys(shape).find((key) => metaOf(shape[key] as Parameters<typeof metaOf>[0]).secret === true)
  return first ? [first] : []
}

function projectFile(connections: { type: string; keys: string[] }[], sandbox: boolean): string {
  const lines = ['# yaml-language-server: $schema=./weir.schema.json', 'version: 1', '', 'connections:']
  for (const { type, keys } of connections) {
    lines.push(
      `  ${type}:`,
      `    type: ${type}`,
      ...(sandbox ? [`    base_url: ${sandboxUrl}`] : []),
      ...keys.map((key) => `    ${key}: \${${variable(type, key)}}`),
    )
  }
  lines.push(
    '',
    'syncs:',
    ...connections.map(({ type }) => `  ${type}: { from: ${type}, every: 15m }   # all default streams, into schema "${type}"`),
  )
  return `${lines.join('\n')}\n`
}
