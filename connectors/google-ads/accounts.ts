import { asFailure, Failure } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import { accessible, rowsOf } from './api.js'
import { cellOf } from './gaql.js'

export interface Account {
  id: string
  name: string
  status: string
  isManager: boolean
  /** The account through which it is reached. */
  login: string
}

/** What a credential reaches: accounts to read, those left out, and roots that are closed to it. */
export interface Reach {
  accounts: Account[]
  left: Account[]
  closed: { id: string; failure: Failure }[]
}

const digits = (id: unknown) => String(id ?? '').replaceAll('-', '')
const loginSetting = (http: Http) => (http.settings.login_customer_id === undefined ? undefined : digits(http.settings.login_customer_id))

/** One walk a client: accounts do not change while a slice is read. */
const walks = new WeakMap<Http, Promise<Reach>>()

/** Every account below the roots, managers among them, each once. */
export function reachOf(http: Http): Promise<Reach> {
  const known = walks.get(http)
  if (known) return known
  const begun = walk(http)
  // A walk that failed is no answer.
  begun.catch(() => walks.delete(http))
  walks.set(http, begun)
  return begun
}

/** The account to log in through, for one customer: the setting, or the root from which the walk came to it. */
export async function loginOf(http: Http, customer: string): Promise<string> {
  return loginSetting(http) ?? (await reachOf(http)).accounts.find(({ id }) => id === customer)?.login ?? customer
}

/** An account to ask through for what is the same in all of them. @throws Failure `permission` where there is none */
export async function anyAccount(http: Http): Promise<string> {
  const [first] = (await reachOf(http)).accounts
  if (first) return first.id
  throw new Failure('permission', 'The credential reaches no account: give it access to one, or look at accounts and customer_ids.')
}

const clients = ['client_customer', 'id', 'level', 'manager', 'descriptive_name', 'status'].map((name) => `customer_client.${name}`)

async function walk(http: Http): Promise<Reach> {
  const found = new Map<string, Account>()
  const closed: Reach['closed'] = []
  for (const root of await rootsOf(http)) {
    try {
      for await (const rows of rowsOf(http, root, root, { select: clients, from: 'customer_client', orderBy: ['customer_client.id'] }))
        for (const row of rows) {
          const account = accountOf(row, root)
          if (!found.has(account.id)) found.set(account.id, account)
        }
    } catch (error) {
      // A root may be cancelled or closed to this user; what the others lead to is read all the same.
      const failure = asFailure(error)
      if (failure.reason !== 'permission') throw error
      closed.push({ id: root, failure })
    }
  }
  const isRead = chosen(http)
  const all = [...found.values()]
  return { accounts: all.filter(isRead).concat(unseen(http, found)), left: all.filter((one) => !isRead(one)), closed }
}

async function rootsOf(http: Http): Promise<string[]> {
  const login = loginSetting(http)
  if (login !== undefined) return [login]
  const names = (await accessible(http)).body.resourceNames
  return (Array.isArray(names) ? names : []).map((name) => String(name).replace('customers/', '')).sort()
}

const accountOf = (row: Rec, login: string): Account => ({
  id: String(cellOf(row, 'customer_client.id')),
  name: String(cellOf(row, 'customer_client.descriptive_name') ?? ''),
  status: String(cellOf(row, 'customer_client.status') ?? 'UNKNOWN'),
  isManager: cellOf(row, 'customer_client.manager') === true,
  login,
})

const asked = (http: Http) => ((http.settings.customer_ids as unknown[] | undefined) ?? []).map(digits)

/** Accounts that the user names but no walk finds: their slices say why. */
const unseen = (http: Http, found: ReadonlyMap<string, Account>): Account[] =>
  asked(http)
    .filter((id) => !found.has(id))
    .map((id) => ({ id, name: '', status: 'UNKNOWN', isManager: false, login: loginSetting(http) ?? id }))

/** Which accounts are read. Closed ones answer nothing but a refusal; they are read only where the user names them. */
function chosen(http: Http): (account: Account) => boolean {
  const ids = asked(http)
  const matches = (patterns: unknown, { id, name }: Account) =>
    (patterns as string[]).some((pattern) => glob(pattern).test(id) || glob(pattern).test(name) || digits(pattern) === id)
  const include = at(http.settings.accounts, 'include') ?? ['*']
  const exclude = at(http.settings.accounts, 'exclude') ?? []
  return (account) => {
    const isOpen = account.status !== 'CANCELED' && account.status !== 'CLOSED'
    return (ids.length > 0 ? ids.includes(account.id) : isOpen) && matches(include, account) && !matches(exclude, account)
  }
}

const glob = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('.*')}$`,
    'is',
  )

/** Accounts as the parents of slices. Managers have labels, lists and conversion actions, but no campaigns and no metrics. */
export const accountIds = (which: 'all' | 'advertisers') =>
  async function* (http: Http): AsyncIterable<string> {
    for (const { id, isManager } of (await reachOf(http)).accounts) if (which === 'all' || !isManager) yield id
  }
