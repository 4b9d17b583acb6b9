/** Whom to tell of what, and how old a table may be: the keys `alerts` and `freshness`, compiled. */
import type * as z from 'zod'
import { type AlertTarget, alertKinds, type Freshness } from '../core/alerts.js'
import { shown } from './errors.js'
import { addressOf, mailServerOf } from './hosts.js'
import { complain, type Judged } from './issues.js'
import { type Look, resolveText } from './references.js'
import type { alertTarget, freshness as freshnessKeys } from './schema.js'
import { find, type Path } from './tree.js'

type Given = z.output<typeof alertTarget>

const hour = 3_600_000
const byDefault = { repeatMs: 24 * hour, quotaWaitMs: hour / 2 }

/**
 * Is this the place of an address in a list of targets, so that a reference in it stays one? Those of people do too: then they stand in
 * no table.
 */
export function isAlertAddress(path: Path): boolean {
  const at = path[0] === 'defaults' ? 1 : 2
  const [key, inner] = path.slice(at + 2)
  if (!['defaults', 'connections', 'syncs', 'audiences'].includes(path[0] ?? '') || path[at] !== 'alerts') return false
  return key === 'webhook' || key === 'slack' || (key === 'email' && ['smtp', 'from', 'to'].includes(inner ?? ''))
}

/** The targets of the list at `path`; those that are wrong are reported and left out. */
export function compileAlerts(judged: Judged, path: Path, given: readonly Given[], look: Look): AlertTarget[] {
  return given.flatMap((one, index) => targetOf(judged, [...path, String(index)], one, look) ?? [])
}

function targetOf(judged: Judged, path: Path, given: Given, look: Look): AlertTarget | undefined {
  const ways = (['webhook', 'slack', 'email'] as const).filter((way) => given[way] !== undefined)
  if (ways.length !== 1) {
    const hint = ways.length === 0 ? 'name "webhook", "slack" or "email"' : 'give each an entry of its own'
    complain(judged, path, ways.length === 0 ? 'nobody is named to be told' : `${ways.length} targets stand in one entry`, hint)
    return undefined
  }
  const { on = alertKinds, repeat = byDefault.repeatMs, quota_wait = byDefault.quotaWaitMs, allow_private_hosts: isAllowed = false } = given
  const shared = {
    on: [...new Set(on)],
    repeatMs: repeat,
    quotaWaitMs: quota_wait,
    ...(isAllowed ? { allowPrivateHosts: true as const } : {}),
  }
  if (given.email) {
    const { smtp, from, to } = given.email
    checkAddress(judged, [...path, 'email', 'smtp'], smtp, look, (text) => mailServerOf(text, isAllowed))
    return { kind: 'email', smtp, from, to, ...shared }
  }
  const kind = given.slack === undefined ? 'webhook' : 'slack'
  const url = given[kind]!
  checkAddress(judged, [...path, kind], url, look, (text) => addressOf(text, isAllowed, { query: true }))
  return { kind, url, ...shared }
}

/** Such an address holds a token or a password: it is a reference, unless it leads to this machine. What it refers to is judged, and not shown. */
function checkAddress(judged: Judged, path: Path, text: string, look: Look, judge: (text: string) => ReturnType<typeof addressOf>): void {
  const found = resolveText(text, look)
  if ('problems' in found) return // reported where references are resolved
  const address = judge(found.value)
  const node = find(judged.tree, path)
  const isLiteral = node?.kind === 'scalar' && node.written === undefined
  if ('problem' in address) complain(judged, path, address.problem, address.hint?.replace(' on the connection', ' beside it'))
  else if (isLiteral && !address.loopback)
    complain(judged, path, 'a secret stands in the file', 'put the address in the environment or .env, and write "${NAME}" here')
}

/** Undefined where it is off, or wrong, which is then reported. */
export function compileFreshness(judged: Judged, path: Path, given: z.output<typeof freshnessKeys>): Freshness | undefined {
  if (given === 'off') return undefined
  const { warn, fail } = given
  if (warn === undefined && fail === undefined) complain(judged, path, 'a freshness has "warn", "fail" or both')
  if (warn !== undefined && fail !== undefined && warn >= fail)
    complain(judged, [...path, 'warn'], `the warning would not come before the failure: ${shown('fail')} must be longer`)
  return { ...(warn === undefined ? {} : { warnMs: warn }), ...(fail === undefined ? {} : { failMs: fail }) }
}
