import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Vendors } from '../../src/config/vendors.js'
import { Failure } from '../../src/core/failure.js'
import { type Choice, ownKeys, projectFiles, sandboxKeys } from '../init/files.js'
import type { Printer } from '../print.js'
import { loadVendors } from '../vendors.js'

interface Options {
  vendor?: string[]
  sandbox?: boolean
}

/**
 * Writes a project to start from: `weir.yaml`, `.env` with a line for each secret (filled in for the sandbox), `.gitignore`, and the schema for
 * editors. At a terminal, and without a word about vendors, it asks.
 */
export async function run({ options, printer, args }: { options: Options; printer: Printer; args: string[] }): Promise<number> {
  const folder = resolve(args[0] ?? '.')
  const vendors = await loadVendors()
  for (const type of options.vendor ?? []) {
    if (!vendors[type]) throw new Failure('config', `No vendor "${type}". There are ${Object.keys(vendors).join(', ')}.`)
  }
  const file = join(folder, 'weir.yaml')
  if (existsSync(file)) throw new Failure('config', `${file} exists already; it was left alone.`)
  const isAsking = process.stdin.isTTY && !printer.isJson && options.vendor === undefined && !options.sandbox
  const wizard = isAsking ? await import('../init/wizard.js') : undefined
  const choice = wizard ? await wizard.askChoice(vendors, process.env, printer.note) : choiceOf(options, vendors)
  const written = await write(folder, projectFiles(choice, vendors), printer)
  printer.json({ written })
  for (const path of written) printer.line(`wrote ${path}`)
  const isToFill = choice.vendors.some(({ keys }) => keys.some(({ isKept, isSet, value }) => isKept && !isSet && !value?.length))
  if (isToFill) printer.line(`\nNext: fill in ${join(folder, '.env')}`)
  else if (choice.isSandbox) printer.line('\nNext, in another terminal, the vendors that this project asks: weir sandbox')
  else if (await wizard?.askCheck()) return (await import('./check.js')).run({ options: { config: file }, printer, args: [] })
  const toConnect = choice.vendors.filter(({ type, keys }) =>
    vendors[type]!.awaitsConsent?.(Object.fromEntries(keys.map(({ key }) => [key, true]))),
  )
  const connects = toConnect.map(({ type }) => ` && weir connect ${type}`).join('')
  printer.line(`Then: cd ${folder}${connects} && weir check && weir sync${choice.when ? ', and weir apply for its schedule' : ''}`)
  return 0
}

/** Without questions: the vendors named, every quarter of an hour. */
function choiceOf({ vendor = ['klaviyo'], sandbox: isSandbox = false }: Options, vendors: Vendors): Choice {
  const keys = isSandbox ? sandboxKeys : ownKeys
  return { isSandbox, vendors: vendor.map((type) => ({ type, keys: keys(vendors, type) })), when: { every: '15m' } }
}

/** Nothing is written over what is there. */
async function write(folder: string, files: Record<string, string>, { note }: Printer): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const written: string[] = []
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    if (existsSync(path)) note(`${path} exists already; it was left alone.`)
    else {
      await writeFile(path, text, { mode: name === '.env' ? 0o600 : 0o644 })
      written.push(path)
    }
  }
  return written
}
