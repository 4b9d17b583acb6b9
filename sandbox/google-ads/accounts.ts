/** The accounts of the company: a manager above two shops, one of them below a second manager, one closed, one for trials. */
import { adAccounts } from '../company/ads.js'
import { day } from '../company/catalogue.js'

export interface Account {
  id: string
  name: string
  manager: boolean
  status: 'ENABLED' | 'CANCELED'
  test: boolean
  currency: string
  timeZone: string
  /** The account above it. */
  above?: string
  /** Which account of the company's advertising it is; the others hold nothing. */
  holds?: 0 | 1
}

const base = { manager: false, status: 'ENABLED', test: false } as const

export const accounts: readonly Account[] = [
  { ...base, id: '5555555555', name: 'Acme Agency', manager: true, ...adAccounts[0] },
  { ...base, id: '6666666666', name: 'Acme Europe', manager: true, above: '5555555555', ...adAccounts[0] },
  { ...base, id: '1111111111', name: 'Acme Shop DE', above: '6666666666', holds: 0, ...adAccounts[0] },
  { ...base, id: '2222222222', name: 'Acme Shop US', above: '5555555555', holds: 1, ...adAccounts[1] },
  { ...base, id: '3333333333', name: 'Old shop', status: 'CANCELED', above: '5555555555', ...adAccounts[0] },
  { ...base, id: '4444444444', name: 'Trials (test)', test: true, above: '5555555555', ...adAccounts[1] },
]

/** What the sandbox's user reaches directly: the manager, and one shop that is below it, too. */
export const roots: readonly string[] = ['5555555555', '2222222222']

export const accountOf = (id: string): Account | undefined => accounts.find((one) => one.id === id)

/** Steps from an account up to another; undefined when that is not above it. */
export function levelBelow(account: Account | undefined, root: string): number | undefined {
  for (let at = account, level = 0; at !== undefined; at = accountOf(at.above ?? ''), level++) if (at.id === root) return level
  return undefined
}

/** The wall clock of an account, as the milliseconds that the same reading would be in UTC. */
export function wallMs({ timeZone }: Pick<Account, 'timeZone'>, atMs: number): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(atMs)
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) + (atMs % 1000)
}

export const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
export const dayStart = (ms: number): number => Math.floor(ms / day) * day
