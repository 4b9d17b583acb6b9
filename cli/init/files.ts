/** The files of a new project, from what was chosen. */
import { sandboxConnections } from '../../sandbox/serve.js'
import { jsonSchema } from '../../src/config/json-schema.js'
import { metaOf } from '../../src/config/secrets.js'
import type { Vendors } from '../../src/config/vendors.js'

export const sandboxUrl = 'http://127.0.0.1:18790'

/** What a new project is to hold. */
export interface Choice {
  isSandbox: boolean
  vendors: readonly ChosenVendor[]
  when: { every: string } | { cron: string; timezone: string } | undefined
  /** An address with its password, for `.env`; without it the embedded warehouse. */
  warehouseUrl?: string
}

export interface ChosenVendor {
  type: string
  keys: readonly Key[]
  /** Without them the default set. */
  streams?: readonly string[]
}

/** A key of a connection: in the project file, or by a reference to what `.env` keeps. */
export interface Key {
  key: string
  isKept: boolean
  isList: boolean
  /** Of a kept one that is missing, a line is left to fill in. */
  value?: string | readonly string[]
  /** Its variable is set in the environment: `.env` has no line for it. */
  isSet?: boolean
}

export const variable = (type: string, key: string): string => `${type}_${key}`.toUpperCase()

export const isSecret = (vendors: Vendors, type: string, key: string): boolean =>
  metaOf(vendors[type]!.settings.shape[key] as Parameters<typeof metaOf>[0]).secret === true

/** The vendor's usual way in, to be filled in. */
export const ownKeys = (vendors: Vendors, type: string): Key[] =>
  (vendors[type]!.basics ?? []).map((key) => ({ key, isKept: true, isList: vendors[type]!.settings.shape[key]?.def.type === 'array' }))

/** What the sandbox takes; its secrets stand in `.env` as real ones would. */
export const sandboxKeys = (vendors: Vendors, type: string): Key[] =>
  Object.entries(sandboxConnections[type]!(sandboxUrl)).map(([key, value]) => ({
    key,
    isKept: isSecret(vendors, type, key),
    isList: Array.isArray(value),
    value,
  }))

/** Name → content. */
export function projectFiles(choice: Choice, vendors: Vendors): Record<string, string> {
  const kept = choice.vendors.flatMap(({ type, keys }) =>
    keys.filter(({ isKept, isSet }) => isKept && !isSet).map((one) => envLine(variable(type, one.key), String(one.value ?? ''))),
  )
  if (choice.warehouseUrl !== undefined) kept.push(envLine('WAREHOUSE_URL', choice.warehouseUrl))
  return {
    'weir.yaml': projectFile(choice),
    '.env': `${kept.join('\n')}\n`,
    '.gitignore': '.env\n.weir/\n',
    'weir.schema.json': `${JSON.stringify(jsonSchema(vendors), null, 2)}\n`,
  }
}

/** Quoted where a `#` or a space would end the value. */
function envLine(name: string, value: string): string {
  if (/^[\w./:@+=,&?%~-]*$/.test(value)) return `${name}=${value}`
  return value.includes("'") ? `${name}=\`${value}\`` : `${name}='${value}'`
}

function projectFile({ isSandbox, vendors, when, warehouseUrl }: Choice): string {
  const lines = ['# yaml-language-server: $schema=./weir.schema.json', 'version: 1', '']
  if (warehouseUrl !== undefined) lines.push(`warehouse: { type: postgres, url: "\${WAREHOUSE_URL}" }`, '')
  lines.push('connections:')
  for (const { type, keys } of vendors) {
    lines.push(
      `  ${type}:`,
      `    type: ${type}`,
      ...(isSandbox ? [`    base_url: ${sandboxUrl}`] : []),
      ...keys.map((one) => `    ${one.key}: ${shown(type, one)}`),
    )
  }
  lines.push('', 'syncs:', ...vendors.flatMap((vendor) => syncLines(vendor, when)))
  return `${lines.join('\n')}\n`
}

const shown = (type: string, { key, isKept, isList, value }: Key): string => {
  if (!isKept) return JSON.stringify(value)
  const reference = `\${${variable(type, key)}}`
  return isList ? `["${reference}"]` : reference
}

function syncLines({ type, streams }: ChosenVendor, when: Choice['when']): string[] {
  const at =
    when === undefined
      ? ''
      : 'every' in when
        ? `, every: ${when.every}`
        : `, schedule: { cron: "${when.cron}", timezone: ${when.timezone} }`
  if (!streams) return [`  ${type}: { from: ${type}${at} }   # all default streams, into schema "${type}"`]
  return [
    `  ${type}:   # into schema "${type}"`,
    `    from: ${type}`,
    ...(at === '' ? [] : [`    ${at.slice(2)}`]),
    '    streams:',
    ...streams.map((stream) => `      ${stream}: {}`),
  ]
}
