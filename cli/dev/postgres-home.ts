/** Where an embedded PostgreSQL keeps its data, who may read it, and how it comes to be there. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../src/core/failure.js'
import { majorOf, packagedBinDir, reachableBinDir, versionOf } from './postgres-binaries.js'
import { closedTo, serverUser, type User } from './users.js'

const run = promisify(execFile)

/** For root only: what another user must reach lies here when the checkout or the project is closed to that user. */
export const sharedFolder = '/var/lib/weir'

export interface Home {
  binDir: string
  version: string
  /** PostgreSQL's own folder, PGDATA. */
  data: string
  /** Around it: our notes, and the password, which only we may read. */
  folder: string
  user: User | undefined
  password: string
}

export interface HomeOptions {
  dataDir: string
  binDir?: string | undefined
  sharedDir: string
  /** Without fsync the cluster is made faster, and lost when the machine fails: for tests. */
  isDurable: boolean
  log: (line: string) => void
}

/** Finds or makes binaries, folders and cluster. Throws `config` and `warehouse` with what to do. */
export async function prepareHome({ dataDir, binDir, sharedDir, isDurable, log }: HomeOptions): Promise<Home> {
  try {
    const folder = await realpath(await openFolder(resolve(dataDir), serverUser(), sharedDir, log))
    const user = await ownerOf(join(folder, 'data'), serverUser())
    const bin = await reachableBinDir(binDir ?? (await packagedBinDir()), user, sharedDir)
    const version = await versionOf(bin, user)
    const home = { binDir: bin, version, data: join(folder, 'data'), folder, user, password: await passwordIn(folder) }
    if (existsSync(join(home.data, 'PG_VERSION'))) await checkVersion(home)
    else await makeCluster(home, isDurable)
    return home
  } catch (error) {
    throw explain(error, dataDir)
  }
}

/** The folder itself, or one below `sharedDir` when the server's user may not come so far; a note in the wanted folder then tells. */
async function openFolder(wanted: string, user: User | undefined, sharedDir: string, log: (line: string) => void): Promise<string> {
  await mkdir(wanted, { recursive: true, mode: user ? 0o711 : 0o700 })
  if (!user) return wanted
  if ((await closedTo(user, wanted)) === wanted) await chmod(wanted, 0o711)
  const closed = await closedTo(user, wanted)
  if (!closed) return wanted
  const note = join(wanted, 'DATA_IS_AT')
  const noted = existsSync(note) ? (await readFile(note, 'utf8')).trim() : undefined
  if (noted && existsSync(noted)) return noted
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 12)
  const elsewhere = join(sharedDir, `${name}-${randomBytes(4).toString('hex')}`)
  await mkdir(sharedDir, { recursive: true, mode: 0o755 })
  await mkdir(elsewhere, { mode: 0o711 })
  await writeFile(note, `${elsewhere}\n`)
  log(`PostgreSQL runs as user ${user.name}, who may not enter ${closed}; its data lie in ${elsewhere}.`)
  return elsewhere
}

/** Data that another user made (by `nobody` before the machine had a `postgres`, or before `sudo`) can be served by that user only. */
async function ownerOf(data: string, user: User | undefined): Promise<User | undefined> {
  const owner = await stat(data).catch(() => undefined)
  if (!user || !owner || owner.uid === user.uid || owner.uid === 0) return user
  return { name: String(owner.uid), uid: owner.uid, gid: owner.gid }
}

/** Made once. Any local user can connect to a port on the loopback address, so the server asks for it. */
async function passwordIn(folder: string): Promise<string> {
  const path = join(folder, 'password')
  if (existsSync(path)) return (await readFile(path, 'utf8')).trim()
  if (existsSync(join(folder, 'data')))
    throw new Failure('config', `${path} is gone, and with it the password of the data beside it. Put it back.`)
  const password = randomBytes(24).toString('base64url')
  await writeFile(path, `${password}\n`, { mode: 0o600 })
  return password
}

/** Made beside its place and moved there when whole: a start that was killed leaves no half cluster. */
async function makeCluster({ binDir, version, data, folder, user, password }: Home, isDurable: boolean): Promise<void> {
  const fresh = `${data}.new`
  const passwordFile = join(folder, 'password.initdb')
  await rm(fresh, { recursive: true, force: true })
  await rm(passwordFile, { force: true })
  await mkdir(fresh, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user) for (const path of [fresh, passwordFile]) await chown(path, user.uid, user.gid)
  const common = [
    '-D',
    fresh,
    '-U',
    'weir',
    '-E',
    'UTF8',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    ...(isDurable ? [] : ['--no-sync']),
  ]
  const initdb = (locale: string[]) =>
    run(join(binDir, 'initdb'), [...common, ...locale], {
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    })
  try {
    // Order by bytes on every machine. From 17 on PostgreSQL itself knows upper and lower case of all letters; before, the system's C.UTF-8 does where it exists.
    if (Number(majorOf(version)) >= 17) await initdb(['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'])
    else await initdb(['--locale=C', '--lc-ctype=C.UTF-8']).catch(() => initdb(['--locale=C']))
    await rename(fresh, data)
  } finally {
    await rm(passwordFile, { force: true })
    await rm(fresh, { recursive: true, force: true })
  }
}

async function checkVersion({ data, version }: Home): Promise<void> {
  const made = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  if (made === majorOf(version)) return
  throw new Failure(
    'config',
    `The data in ${data} were made by PostgreSQL ${made}, and this Weir brings PostgreSQL ${version}. Dump them with the Weir that made them (pg_dump) and load them here, or move the folder away to start empty.`,
  )
}

const remedies: Record<string, string> = {
  EACCES: 'Give the user who runs weir the right to write there.',
  EPERM: 'Give the user who runs weir the right to write there; as root, the file system must let root change owners.',
  EROFS: 'The file system is read-only; run weir in a folder that can be written.',
  ENOSPC: 'The disk is full; make room.',
}

function explain(error: unknown, dataDir: string): Failure {
  if (error instanceof Failure) return error
  const { code, message, stderr } = error as NodeJS.ErrnoException & { stderr?: string }
  const text = (stderr || message).trim()
  const remedy =
    remedies[code ?? ''] ??
    Object.entries({ ENOSPC: /No space left/, EACCES: /Permission denied/ }).find(([, words]) => words.test(text))?.[0]
  return new Failure(
    'warehouse',
    `PostgreSQL's data cannot be made in ${dataDir}: ${text} ${remedy ? (remedies[remedy] ?? remedy) : ''}`.trim(),
    {},
    { cause: error },
  )
}
