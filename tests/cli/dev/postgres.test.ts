import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type PostgresOptions, startPostgres } from '../../../cli/dev/postgres.js'
import { packagedBinDir } from '../../../cli/dev/postgres-binaries.js'
import { markOf, until } from '../../../cli/dev/processes.js'
import { closedTo, serverUser } from '../../../cli/dev/users.js'
import { isGone, query, somePort, startElsewhere, temporaryFolder } from './support.js'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('SKIPPED: tests of running PostgreSQL as root; we are not root.')

async function start(options: Partial<PostgresOptions> & { dataDir: string }) {
  const server = await startPostgres({ port: somePort(), settings: { fsync: 'off' }, ...options })
  onTestFinished(server.stop)
  return server
}

describe('the embedded PostgreSQL', () => {
  it('keeps data and port when it is killed and started again', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    process.kill(first.pid, 'SIGKILL')
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' })
    const second = await start({ dataDir, port: first.port, isPortFixed: true })
    expect(second.url).toBe(first.url)
    expect(await query(second.url, 'TABLE kept')).toEqual([{ answer: 42 }])
  })

  it('writes of a refused row which rule refused it, and not what it holds', async () => {
    const logFile = join(await temporaryFolder(), 'postgres.log')
    const { url } = await start({ dataDir: await temporaryFolder(), logFile })
    await query(url, 'CREATE TABLE people (mail text PRIMARY KEY)')
    const twice = `INSERT INTO people SELECT 'anna' || '@example.com' FROM generate_series(1, 2)`
    await expect(query(url, twice)).rejects.toThrow('duplicate key')
    const log = await readFile(logFile, 'utf8')
    expect(log).toContain('people_pkey')
    expect(log).not.toContain('anna@')
  })

  it('asks for the password, knows UTF-8 and orders by bytes', async () => {
    const { url, dataDir } = await start({ dataDir: await temporaryFolder() })
    await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow('password authentication failed')
    const sql = `SELECT lower('ÄÖ') AS lower, 'B' < 'a' AS by_bytes, current_setting('server_encoding') AS encoding, current_user AS name`
    expect(await query(url, sql)).toEqual([{ lower: 'äö', by_bytes: true, encoding: 'UTF8', name: 'weir' }])
    expect((await stat(join(dataDir, '..', 'password'))).mode & 0o777).toBe(0o600)
  })

  it('takes another port when the wanted one is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const server = await start({ dataDir: await temporaryFolder(), port })
    expect(server.port).toBeGreaterThan(port)
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('refuses data of another major version, and says what to do', async () => {
    const dataDir = await temporaryFolder()
    const server = await start({ dataDir })
    await server.stop()
    await writeFile(join(server.dataDir, 'PG_VERSION'), '15\n')
    await expect(start({ dataDir })).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringMatching(/made by PostgreSQL 15.*brings PostgreSQL 18.*pg_dump/),
    })
  })

  it('is not misled by the note of a killed server whose number is another process now', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    const note = await readFile(join(first.dataDir, 'postmaster.pid'), 'utf8')
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    const user = serverUser()
    const sleeper = spawn('sleep', ['60'], {
      stdio: 'ignore',
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    })
    onTestFinished(() => void sleeper.kill())
    await writeFile(join(first.dataDir, 'postmaster.pid'), note.replace(/^\d+/, String(sleeper.pid)))
    const second = await start({ dataDir })
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('ends a server that a dead process left, and leaves that of a living one alone', async () => {
    const dataDir = await temporaryFolder()
    const left = await start({ dataDir })
    const owner = join(dataDir, 'owner.json')
    await writeFile(owner, JSON.stringify(markOf(process.ppid)))
    await expect(start({ dataDir })).rejects.toThrow(`started by process ${process.ppid}`)
    await writeFile(owner, JSON.stringify({ pid: process.ppid, since: 'long ago' }))
    const said: string[] = []
    const second = await start({ dataDir, log: (line) => said.push(line) })
    expect(said.join()).toContain(`process ${left.pid}`)
    expect(await isGone(left.pid)).toBe(true)
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('says what is wrong with a folder that cannot be made, and shows the log of a server that does not start', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file'), '')
    await expect(start({ dataDir: join(folder, 'file', 'data') })).rejects.toMatchObject({
      reason: 'warehouse',
      message: expect.stringContaining('ENOTDIR'),
    })
    const settings = { shared_buffers: 'much' }
    await expect(start({ dataDir: folder, settings })).rejects.toMatchObject({
      reason: 'warehouse',
      message: expect.stringContaining('invalid value for parameter "shared_buffers"'),
    })
  })

  it('ends with the process that started it, even one that is killed', async () => {
    const started = await startElsewhere(await temporaryFolder())
    expect(await query(started.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    started.process.kill('SIGKILL')
    expect(await isGone(started.pid)).toBe(true)
  })
})

describe.runIf(isRoot)('as root', () => {
  it('runs as another user below a folder that only root may enter, and finds its data again', async () => {
    const closed = await temporaryFolder(0o700)
    const sharedDir = await temporaryFolder(0o755)
    const packaged = await packagedBinDir()
    for (const part of ['bin', 'lib', 'share'])
      await cp(join(packaged, '..', part), join(closed, 'native', part), { recursive: true, verbatimSymlinks: true })
    const options = { dataDir: join(closed, 'project', '.weir', 'postgres'), binDir: join(closed, 'native', 'bin'), sharedDir }
    const first = await start(options)
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    const second = await start(options)
    expect(second.dataDir).toBe(first.dataDir)
    expect(await query(second.url, 'TABLE kept')).toEqual([{ answer: 42 }])
    expect((await stat(second.dataDir)).uid).toBe(serverUser()?.uid)
    expect((await readFile(join(options.dataDir, 'DATA_IS_AT'), 'utf8')).trim()).toBe(join(second.dataDir, '..'))
  })

  it('serves data that another user made, as that user', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    await first.stop()
    execFileSync('chown', ['-R', '4321:4321', first.dataDir])
    const second = await start({ dataDir })
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('an ordinary user runs it as himself', async ({ skip }) => {
    const user = serverUser() as NonNullable<ReturnType<typeof serverUser>>
    const closed = await closedTo(user, fileURLToPath(new URL('.', import.meta.url)))
    if (closed) skip(`the checkout lies below ${closed}, which other users may not enter`)
    const folder = await temporaryFolder(0o777)
    const started = await startElsewhere(join(folder, 'data'), { uid: user.uid, gid: user.gid })
    expect(started.uid).toBe(user.uid)
    expect(await query(started.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    started.process.stdin?.end()
    expect(await until(() => (started.process.exitCode === 0 ? true : undefined), 10_000)).toBe(true)
    expect(await isGone(started.pid)).toBe(true)
  })
})
