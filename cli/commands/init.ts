import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sandboxConnections } from '../../sandbox/serve.js'
import { jsonSchema } from '../../src/config/json-schema.js'
import { metaOf } from '../../src/config/secrets.js'
import type { Vendors } from '../../src/config/vendors.js'
import { Failure } from '../../src/core/failure.js'
import type { Printer } from '../print.js'
import { loadVendors } from '../vendors.js'

const sandboxUrl = 'http://127.0.0.1:18790'

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
  }
  if (existsSync(join(folder, 'weir.yaml'))) throw new Failure('config', `${join(folder, 'weir.yaml')} exists already; it was left alone.`)
  await mkdir(folder, { recursive: true })
  const isSandbox = options.sandbox ?? false
  const connections = options.vendor.map((type) => ({ type, keys: isSandbox ? sandboxKeys(vendors, type) : ownKeys(vendors, type) }))
  const kept = connections.flatMap(({ type, keys }) =>
    keys.filter(({ isKept }) => isKept).map((one) => `${variable(type, one.key)}=${one.value ?? ''}`),
  )
  const files: Record<string, string> = {
    'weir.yaml': projectFile(connections, isSandbox),
    '.env': `${kept.join('\n')}\n`,
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
  const toConnect = connections.filter(({ type, keys }) =>
    vendors[type]!.awaitsConsent?.(Object.fromEntries(keys.map(({ key }) => [key, true]))),
  )
  printer.line(`Then: cd ${folder}${toConnect.map(({ type }) => ` && weir connect ${type}`).join('')} && weir check && weir sync`)
  return 0
}

const variable = (type: string, key: string) => `${type}_${key}`.toUpperCase()

/** A key of a connection: in the project file, or by a reference to what `.env` keeps. */
interface Key {
  key: string
  isKept: boolean
  isList: boolean
  value?: string | readonly string[]
}

const isSecret = (vendors: Vendors, type: string, key: string) =>
  metaOf(vendors[type]!.settings.shape[key] as Parameters<typeof metaOf>[0]).secret === true

/** The vendor's usual way in, to be filled in. */
const ownKeys = (vendors: Vendors, type: string): Key[] =>
  (vendors[type]!.basics ?? []).map((key) => ({ key, isKept: true, isList: vendors[type]!.settings.shape[key]?.def.type === 'array' }))

/** What the sandbox takes; its secrets stand in `.env` as real ones would. */
const sandboxKeys = (vendors: Vendors, type: string): Key[] =>
  Object.entries(sandboxConnections[type]!(sandboxUrl)).map(([key, value]) => ({
    key,
    isKept: isSecret(vendors, type, key),
    isList: Array.isArray(value),
    value,
  }))

const shown = (type: string, { key, isKept, isList, value }: Key): string => {
  if (!isKept) return JSON.stringify(value)
  const reference = `\${${variable(type, key)}}`
  return isList ? `["${reference}"]` : reference
}

function projectFile(connections: { type: string; keys: Key[] }[], sandbox: boolean): string {
  const lines = ['# yaml-language-server: $schema=./weir.schema.json', 'version: 1', '', 'connections:']
  for (const { type, keys } of connections) {
    lines.push(
      `  ${type}:`,
      `    type: ${type}`,
      ...(sandbox ? [`    base_url: ${sandboxUrl}`] : []),
      ...keys.map((one) => `    ${one.key}: ${shown(type, one)}`),
    )
  }
  lines.push(
    '',
    'syncs:',
    ...connections.map(({ type }) => `  ${type}: { from: ${type}, every: 15m }   # all default streams, into schema "${type}"`),
  )
  return `${lines.join('\n')}\n`
}
