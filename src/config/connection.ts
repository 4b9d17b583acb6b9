/** One connection: its vendor's keys by the vendor's own types, its addresses by the rules of hosts, its secrets as references. */
import type * as z from 'zod'
import type { ConnectionDefinition } from '../core/definition.js'
import { nearOrAll, shown } from './errors.js'
import { addressOf } from './hosts.js'
import { complain, complainOfKey, type Judged, parseAt } from './issues.js'
import { nameProblem } from './names.js'
import { escaped, type Look, resolveText } from './references.js'
import { connection as connectionKeys } from './schema.js'
import { secretKeys } from './secrets.js'
import { find, keysOf, type Mapping, mapScalars, type Path, plain, type Scalar, type Tree, textAt } from './tree.js'
import type { Vendor, Vendors } from './vendors.js'

export interface CompiledConnection {
  definition: ConnectionDefinition
  vendor: Vendor
  /** What cascades from here to the syncs that use it. */
  given: z.output<typeof connectionKeys>
}

const common = Object.keys(connectionKeys.shape)

/** Undefined when it is wrong, which is then reported. */
export function compileConnection(judged: Judged, name: string, vendors: Vendors, look: Look): CompiledConnection | undefined {
  const path = ['connections', name]
  const problem = nameProblem(name)
  if (problem !== undefined) complainOfKey(judged, path, problem)
  const node = find(judged.tree, path)
  if (node?.kind !== 'map') {
    complain(judged, path, 'expected a map of keys', 'a connection has at least a type')
    return undefined
  }
  const type = textAt(judged.tree, [...path, 'type'])
  const vendor = type !== undefined && Object.hasOwn(vendors, type) ? vendors[type] : undefined
  if (!node.entries.has('type')) complain(judged, path, '"type" is missing', `types: ${Object.keys(vendors).join(', ')}`)
  else if (type !== undefined && !vendor) {
    complain(judged, [...path, 'type'], `no connection type ${shown(type)}`, nearOrAll(type, Object.keys(vendors), 'types'))
  }

  const own = vendor ? Object.keys(vendor.settings.shape) : []
  for (const key of vendor ? keysOf(node) : []) {
    if (!common.includes(key) && !own.includes(key)) {
      complainOfKey(
        judged,
        [...path, key],
        `unknown key ${shown(key)} of a ${type} connection`,
        nearOrAll(key, [...own, ...common.slice(0, 6)], 'allowed here'),
      )
    }
  }
  const hasType = node.entries.has('type')
  const given = parseAt(connectionKeys, judged, path, {
    value: { ...(hasType ? {} : { type: 'none' }), ...(plain(only(node, common)) as object) },
  })
  const addresses = checkAddresses(judged, path, own)
  const literals = vendor && !addresses.loopback ? checkSecrets(judged, path, vendor) : []
  const { budget } = given ?? {}
  if (budget === 'off' && !addresses.loopback) {
    complain(
      judged,
      [...path, 'budget'],
      '"off" is for a base_url on this machine only',
      "leave it out: the connector knows the vendor's limits",
    )
  }
  const { api_version } = given ?? {}
  if (api_version !== undefined && vendor?.apiVersions && !vendor.apiVersions.includes(api_version)) {
    complain(
      judged,
      [...path, 'api_version'],
      "this version of the vendor's API is not known",
      nearOrAll(api_version, vendor.apiVersions, 'versions'),
    )
  }
  if (!vendor || type === undefined) return undefined
  const settings = compileSettings(judged, path, node, vendor, { look, normal: addresses.normal, skip: literals })
  if (!given || !settings) return undefined

  const apiVersion = api_version ?? vendor.defaultApiVersion
  return {
    vendor,
    given,
    definition: {
      name,
      type,
      ...(addresses.baseUrl === undefined ? {} : { baseUrl: addresses.baseUrl }),
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(budget === undefined ? {} : { budget: budget === 'off' ? budget : budgetOf(budget) }),
      ...(given.owner === undefined ? {} : { owner: given.owner }),
      ...(given.allow_private_hosts ? { allowPrivateHosts: true } : {}),
      settings,
    },
  }
}

const only = (node: Mapping, keys: readonly string[]): Mapping => ({
  ...node,
  entries: new Map([...node.entries].filter(([key]) => keys.includes(key))),
})

type Budget = Exclude<z.output<typeof connectionKeys>['budget'], 'off' | undefined>
const budgetOf = ({
  requests,
  per_day,
  concurrency,
  backfill_share,
}: Budget): Exclude<ConnectionDefinition['budget'], 'off' | undefined> => ({
  ...(requests === undefined ? {} : { requests }),
  ...(per_day === undefined ? {} : { perDay: per_day }),
  ...(concurrency === undefined ? {} : { concurrency }),
  ...(backfill_share === undefined ? {} : { backfillShare: backfill_share / 100 }),
})

/** `base_url`, and the vendor's other hosts: keys that end in `_url`. On loopback when all that are given are, and one is. */
function checkAddresses(
  judged: Judged,
  path: Path,
  own: readonly string[],
): { baseUrl?: string; loopback: boolean; normal: Map<string, string> } {
  const allow = find(judged.tree, [...path, 'allow_private_hosts'])
  const allowed = allow?.kind === 'scalar' && String(allow.value) === 'true'
  const normal = new Map<string, string>()
  let loopback = true
  for (const key of ['base_url', ...own.filter((one) => one.endsWith('_url'))]) {
    const text = textAt(judged.tree, [...path, key])
    if (text === undefined || text === '') continue
    const address = addressOf(text, allowed)
    if ('problem' in address) complain(judged, [...path, key], address.problem, address.hint)
    else normal.set(key, address.url)
    loopback &&= 'loopback' in address && address.loopback
  }
  const baseUrl = normal.get('base_url')
  return { ...(baseUrl === undefined ? {} : { baseUrl }), loopback: loopback && baseUrl !== undefined, normal }
}

/** A secret in the file itself is an error, and is not repeated in it; against the sandbox on this machine it is fine. Gives the keys. */
function checkSecrets(judged: Judged, path: Path, vendor: Vendor): string[] {
  const literals = new Set<string>()
  for (const key of secretKeys(vendor.settings)) {
    const node = find(judged.tree, [...path, key])
    if (!node) continue
    mapScalars(node, (scalar, below) => {
      if (scalar.written !== undefined || scalar.value === null) return scalar
      literals.add(key)
      const name = `${path[1]}_${key}`.toUpperCase().replace(/\W/g, '_').slice(0, 60)
      const hint = `put it in the environment or .env, and write "\${${name}}" here`
      complain(judged, [...path, key, ...below], 'a secret stands in the file', hint)
      return scalar
    })
  }
  return [...literals]
}

interface Reading {
  look: Look
  /** Addresses, in the form that the rules of hosts give them. */
  normal: ReadonlyMap<string, string>
  /** Keys that are wrong, and said to be. */
  skip: readonly string[]
}

/** The vendor's keys through the vendor's own types, secrets looked up for the judgement and then left out of the result. */
function compileSettings(
  judged: Judged,
  path: Path,
  node: Mapping,
  vendor: Vendor,
  { look, normal, skip }: Reading,
): Record<string, unknown> | undefined {
  const secrets = secretKeys(vendor.settings)
  const own = only(node, Object.keys(vendor.settings.shape))
  const value = (tree: Tree, secret: boolean): unknown => plain(secret ? mapScalars(tree, (scalar) => looked(scalar, look)) : tree)
  const input = Object.fromEntries([...own.entries].map(([key, entry]) => [key, value(entry.value, secrets.includes(key))]))
  const parsed = parseAt(vendor.settings, judged, path, { value: input, skip })
  if (!parsed) return undefined
  const settings: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(parsed)) {
    const entry = own.entries.get(key)
    if (secrets.includes(key) && entry) settings[key] = plain(entry.value)
    else if (item !== undefined) settings[key] = deepEscaped(normal.get(key) ?? item)
  }
  return settings
}

function looked(scalar: Scalar, look: Look): Scalar {
  if (typeof scalar.value !== 'string') return scalar
  const found = resolveText(scalar.value, look)
  return 'value' in found ? { ...scalar, value: found.value } : scalar
}

/** Settings are read once more by the worker, as text with references: what is a value must stay one. */
function deepEscaped(value: unknown): unknown {
  if (typeof value === 'string') return escaped(value)
  if (Array.isArray(value)) return value.map(deepEscaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, deepEscaped(item)]))
}
