/** What the machine and the project's folder have to say. */
import { existsSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../../src/config/compile.js'
import type { Definition } from '../../src/core/definition.js'
import { pushId } from '../../src/core/push.js'
import type { Finding } from '../../src/core/types.js'
import { freePort } from '../dev/ports.js'
import { postgresPort } from '../dev/postgres.js'
import { weirFolder } from '../dev/project-folder.js'
import { temporalPort, temporalUiPort } from '../dev/temporal.js'
import type { Project } from '../project.js'
import { isTemporalNamed } from '../session.js'

const gigabyte = 1024 ** 3

export async function machineFindings({ projectDir, manifest }: Project): Promise<Finding[]> {
  const isEmbedded = !isTemporalNamed(manifest)
  return [
    { name: 'node', ok: true, message: `Node ${process.versions.node} on ${process.platform} ${process.arch}` },
    await disk(projectDir),
    ...(await envFile(projectDir)),
    await folder(projectDir, isEmbedded),
    key(projectDir, isEmbedded, manifest),
  ]
}

async function disk(dir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dir)
  const free = (bavail * bsize) / gigabyte
  const message = `${free.toFixed(1)} GiB free where the project lies`
  return free >= 2
    ? { name: 'disk', ok: true, message }
    : { name: 'disk', ok: false, message, hint: 'Make room: the embedded PostgreSQL keeps its rows there.' }
}

/** Secrets are for their owner alone. */
async function envFile(dir: string): Promise<Finding[]> {
  const path = join(dir, '.env')
  if (!existsSync(path)) return [{ name: '.env', ok: true, message: 'there is none: references come from the environment' }]
  const mode = (await stat(path)).mode & 0o777
  const message = `mode ${mode.toString(8).padStart(3, '0')}`
  return [
    (mode & 0o077) === 0 || process.platform === 'win32'
      ? { name: '.env', ok: true, message }
      : { name: '.env', ok: false, message: `${message}: others on this machine can read the secrets`, hint: `chmod 600 ${path}` },
  ]
}

async function folder(dir: string, isEmbedded: boolean): Promise<Finding> {
  const path = weirFolder(dir)
  if (!existsSync(path))
    return { name: '.weir', ok: true, message: isEmbedded ? 'not there yet: `weir dev` makes it' : 'there is none, nor is one needed' }
  const { uid, mode } = await stat(path)
  const mine = process.getuid?.()
  if (mine !== undefined && uid !== mine && mine !== 0)
    return {
      name: '.weir',
      ok: false,
      message: `${path} belongs to another user`,
      hint: 'Start Weir as that user, or give the folder to this one.',
    }
  const others = mode & 0o066
  return others === 0
    ? { name: '.weir', ok: true, message: path }
    : { name: '.weir', ok: false, message: `${path} can be read by others; it holds the key`, hint: `chmod 700 ${path}` }
}

function key(dir: string, isEmbedded: boolean, { syncs, audiences }: Manifest): Finding {
  const name = 'WEIR_KEY'
  if (process.env.WEIR_KEY)
    return process.env.WEIR_KEY.length >= 32
      ? { name, ok: true, message: 'set' }
      : { name, ok: false, message: 'too short', hint: 'Make one: openssl rand -base64 32. The same for all workers and commands.' }
  if (isEmbedded)
    return { name, ok: true, message: existsSync(join(weirFolder(dir), 'key')) ? 'in .weir/key' : '`weir dev` makes one in .weir/key' }
  const needing = [
    ...Object.values(syncs)
      .filter(needsKey)
      .map(({ sync }) => `sync/${sync}`),
    ...Object.keys(audiences).map(pushId),
  ]
  if (needing.length === 0)
    return { name, ok: true, message: 'not set; column hashes, encrypted dead letters, audiences and rotated tokens would need it' }
  return {
    name,
    ok: false,
    message: `not set, and needed by ${needing.join(', ')}`,
    hint: 'Make one: openssl rand -base64 32. Give the same to all workers and commands, and keep it.',
  }
}

const needsKey = ({ deadLetters, columns, streams }: Definition): boolean =>
  deadLetters.encrypt === true ||
  [columns, ...Object.values(streams).map((one) => one.columns)].some((one) => Object.values(one ?? {}).includes('hash')) ||
  Object.values(streams).some((one) => one.deadLetters?.encrypt)

/** Where an embedded stack would listen. */
export async function portFindings(): Promise<Finding[]> {
  const wanted = { 'port of PostgreSQL': postgresPort, 'port of Temporal': temporalPort, 'port of the Temporal UI': temporalUiPort }
  return Promise.all(
    Object.entries(wanted).map(async ([name, port]) => {
      const free = await freePort(port)
      return { name, ok: true, message: free === port ? `${port} is free` : `${port} is taken; \`weir dev\` will use ${free}` }
    }),
  )
}
