/**
 * PostgreSQL refuses to run as root. As root it runs as `postgres` where the machine has such a user, else as `nobody`, which
 * every Unix has: making a user would change the machine, which a tool for trying things out must not do.
 */
import { spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Failure } from '../../src/core/failure.js'

export interface User {
  name: string
  uid: number
  gid: number
}

/** Undefined when we are an ordinary user, who may run PostgreSQL as is. */
export function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)]
    if (uid && gid) return { name, uid, gid }
  }
  throw new Failure(
    'config',
    'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody". Run weir as an ordinary user.',
  )
}

/** The first folder on the way to `path` which `user` may not enter, or `path` itself; undefined when all are open. What does not exist is open. */
export async function closedTo(user: User, path: string): Promise<string | undefined> {
  const onTheWay = [resolve(path)]
  while (dirname(onTheWay[0] as string) !== onTheWay[0]) onTheWay.unshift(dirname(onTheWay[0] as string))
  for (const step of onTheWay) {
    const info = await stat(step).catch(() => undefined)
    if (!info) return undefined
    const shift = info.uid === user.uid ? 6 : info.gid === user.gid ? 3 : 0
    if (((info.mode >> shift) & 1) === 0) return step
  }
  return undefined
}

function idOf(flag: '-u' | '-g', name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}
