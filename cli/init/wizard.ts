/** `weir init` at a terminal: asks for what a project needs, and checks each answer where that can be done without calling a vendor. */
import { checkbox, confirm, input, password, select } from '@inquirer/prompts'
import { isTimezone } from '../../src/config/units.js'
import type { Vendors } from '../../src/config/vendors.js'
import { asFailure, Failure } from '../../src/core/failure.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { type Choice, type ChosenVendor, isSecret, type Key, ownKeys, sandboxKeys, variable } from './files.js'

/** @throws Failure `config` when somebody leaves it */
export async function askChoice(vendors: Vendors, env: NodeJS.ProcessEnv, note: (text: string) => void): Promise<Choice> {
  return orLeft(async () => {
    const types = await checkbox({
      message: 'Which vendors?',
      choices: Object.entries(vendors).map(([value, { title }]) => ({ value, name: title })),
      required: true,
    })
    const isSandbox = await select({
      message: 'Whose data?',
      choices: [
        { value: false, name: 'Ours: keys go to .env' },
        { value: true, name: 'Made up: the local sandbox, to try' },
      ],
    })
    const chosen: ChosenVendor[] = []
    for (const type of types) {
      const keys = isSandbox ? sandboxKeys(vendors, type) : await askKeys(vendors, type, env)
      chosen.push({ type, keys, ...(await askStreams(vendors, type)) })
    }
    const when = await askWhen()
    return { isSandbox, vendors: chosen, when, ...(await askWarehouse(note)) }
  })
}

/** Is this to be tried out now? */
export const askCheck = (): Promise<boolean> =>
  orLeft(() =>
    confirm({ message: 'Check it now? That starts PostgreSQL, Temporal and a worker here, and asks the vendors.', default: true }),
  )

async function orLeft<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') throw new Failure('config', 'Left; nothing more was done.', {}, { cause: error })
    throw error
  }
}

async function askKeys(vendors: Vendors, type: string, env: NodeJS.ProcessEnv): Promise<Key[]> {
  const { title, settings } = vendors[type]!
  const keys: Key[] = []
  for (const one of ownKeys(vendors, type)) {
    const name = variable(type, one.key)
    if (env[name]) {
      keys.push({ ...one, isSet: true })
      continue
    }
    const shape = settings.shape[one.key]
    const validate = (text: string): true | string => {
      if (text === '' || !shape) return true
      const parsed = shape.safeParse(one.isList ? [text] : text)
      return parsed.success || (parsed.error.issues[0]?.message ?? 'not right')
    }
    const message = `${title}, ${one.key} (empty: fill in ${name} later)`
    const value = await (isSecret(vendors, type, one.key) ? password({ message, mask: '*', validate }) : input({ message, validate }))
    keys.push({ ...one, value })
  }
  return keys
}

async function askStreams(vendors: Vendors, type: string): Promise<{ streams?: string[] }> {
  const { title, streams } = vendors[type]!
  const usual = Object.keys(streams).filter((name) => streams[name]!.isDefault)
  const isUsual = await confirm({ message: `${title}: the ${usual.length} default streams (${few(usual)})?`, default: true })
  if (isUsual) return {}
  const chosen = await checkbox({
    message: `${title}: which streams?`,
    choices: Object.entries(streams).map(([value, { mode, isDefault }]) => ({ value, name: `${value} (${mode})`, checked: isDefault })),
    required: true,
    pageSize: 15,
  })
  return { streams: chosen }
}

const few = (names: readonly string[]): string => (names.length <= 8 ? names.join(', ') : `${names.slice(0, 7).join(', ')}, …`)

async function askWhen(): Promise<Choice['when']> {
  const every = await select({
    message: 'How often?',
    choices: [
      { value: '15m', name: 'every 15 minutes' },
      { value: '1h', name: 'every hour' },
      { value: '6h', name: 'every six hours' },
      { value: 'daily', name: 'once a day, in the morning' },
      { value: 'never', name: 'by hand' },
    ],
  })
  if (every === 'never') return undefined
  if (every !== 'daily') return { every }
  const timezone = await input({
    message: 'At six, in which time zone?',
    default: Intl.DateTimeFormat().resolvedOptions().timeZone,
    validate: (text) => isTimezone(text) || 'no time zone: write it as Europe/Berlin',
  })
  return { cron: '0 6 * * *', timezone }
}

async function askWarehouse(note: (text: string) => void): Promise<{ warehouseUrl?: string }> {
  const isOwn = await select({
    message: 'Where do the tables go?',
    choices: [
      { value: false, name: 'A PostgreSQL that Weir starts here' },
      { value: true, name: 'A PostgreSQL of ours' },
    ],
  })
  if (!isOwn) return {}
  for (;;) {
    const warehouseUrl = await password({
      message: 'Its address, postgres://user:password@host:5432/database',
      mask: '*',
      validate: (text) => (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) || 'expected a postgres:// address',
    })
    const problem = await problemOf(warehouseUrl)
    if (problem === undefined) return { warehouseUrl }
    note(problem)
    if (await confirm({ message: 'Keep this address all the same?', default: false })) return { warehouseUrl }
  }
}

/** Why it cannot be the warehouse, as far as one sees from here. */
async function problemOf(url: string): Promise<string | undefined> {
  const warehouse = createWarehouse(url, { connections: 1 })
  try {
    const { version, canCreate } = await warehouse.describe()
    if (Number.parseInt(version, 10) < 15) return `PostgreSQL ${version} is too old: Weir needs 15 or newer.`
    return canCreate ? undefined : 'This user may not create schemas there: grant CREATE on the database.'
  } catch (error) {
    return asFailure(error).message
  } finally {
    await warehouse.close()
  }
}
