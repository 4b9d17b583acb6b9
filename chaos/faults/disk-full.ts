import { execFile } from 'node:child_process'
import { chown, mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { World } from '../world.js'
import type { Fault } from './fault.js'
import { targetTables } from './target.js'

const run = promisify(execFile)
const sizeMb = 1_024
const fillAttempts = 20

/**
 * The disk is full. What is being written is moved to a small file system of its own, and that is filled: the run must stop and say why, make no dead
 * letters of it, and go on when there is room. It ends the run, so the sync is started again by us.
 */
export const diskFull: Fault = {
  name: 'disk full',
  weight: 1,
  most: 1,
  lasts: true,
  isOfFirst: true,
  async isImpossible() {
    const folder = join(tmpdir(), `weir-chaos-mount-${process.pid}`)
    await mkdir(folder)
    try {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
      await run('umount', [folder])
      return undefined
    } catch (error) {
      return `no right to mount: ${(error as Error).message.trim().split('\n').at(-1)}`
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
  async inject({ world, endsRun }) {
    const small = join(world.folder, 'small')
    await mkdir(small)
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', small])
    try {
      await ownAsServer(world, small)
      await world.query(`CREATE TABLESPACE small LOCATION '${small}'`)
      // All of them: a slice that still has room would be read to its end first.
      for (const table of await targetTables(world)) await world.query(`ALTER TABLE IF EXISTS ${table} SET TABLESPACE small`)
      const ballast = join(small, 'ballast')
      await fill(small, ballast)
      await endsRun('warehouse', async () => {
        await rm(ballast)
        await world.query('ALTER TABLE ALL IN TABLESPACE small SET TABLESPACE pg_default')
        // Files of tables that are gone stay until a checkpoint, and a tablespace that is not empty is not dropped.
        await world.query('CHECKPOINT')
        await world.query('DROP TABLESPACE small')
      })
    } finally {
      await run('umount', ['-l', small])
    }
    return undefined
  },
}

/** The server's own user, which for root is another one, must be able to write there. */
async function ownAsServer(world: World, folder: string): Promise<void> {
  const [row] = await world.query<{ data: string }>(`SELECT current_setting('data_directory') AS data`)
  const { uid, gid } = await stat(row!.data)
  await chown(folder, uid, gid)
}

/** All that is free; what the load takes meanwhile makes a try fail, and the next one asks for less. */
async function fill(folder: string, ballast: string): Promise<void> {
  await writeFile(ballast, '')
  for (let left = fillAttempts; ; left--) {
    const { bavail, bsize } = await statfs(folder)
    try {
      await run('fallocate', ['-l', String(bavail * bsize), ballast])
      return
    } catch (error) {
      if (left === 0) throw error
    }
  }
}
