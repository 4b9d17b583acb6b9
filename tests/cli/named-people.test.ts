import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { type NamingOptions, readNamed } from '../../cli/named-people.js'
import { program } from '../../cli/weir.js'

afterEach(() => vi.restoreAllMocks())

const piped = async (text: string, options: NamingOptions = {}) => {
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from([text]) as typeof process.stdin)
  return readNamed(options)
}

test('people are named on standard input, one a line, and are what they look like', async () => {
  const named = await piped('ana@example.test\r\n\n  +49 (151) 234-5678 \n0151 2345678\n', { country: 'DE' })
  expect(named.map(({ kind, text }) => [kind, text])).toEqual([
    ['email', 'ana@example.test'],
    ['phone', '+49 (151) 234-5678'],
    ['phone', '0151 2345678'],
  ])
  expect(named[2]!.country).toBe('DE')
})

test('with a model they are its keys; a kind that is given stands', async () => {
  expect(await piped('ana@example.test', { model: 'vip' })).toMatchObject([{ kind: 'key', model: 'vip' }])
  expect(await piped('12345', { kind: 'email' })).toMatchObject([{ kind: 'email' }])
})

test('or they stand in a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-named-'))
  try {
    await writeFile(join(folder, 'who.txt'), 'ana@example.test\nben@example.test')
    expect(await readNamed({ file: join(folder, 'who.txt') })).toHaveLength(2)
    await expect(readNamed({ file: join(folder, 'nowhere.txt') })).rejects.toThrow(/nowhere\.txt cannot be read \(ENOENT\)/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('what is neither is refused by its line, and never repeated; nobody is refused too', async () => {
  const refused = piped('ana@example.test\nsecret-name')
  await expect(refused).rejects.toThrow(/^Line 2 is no e-mail address and no phone number/)
  await expect(refused).rejects.not.toThrow(/secret-name/)
  await expect(piped(' \n')).rejects.toThrow(/Nobody was named/)
})

test('no argument takes a person', () => {
  const start = program.commands.find((one) => one.name() === 'erase')!.commands.find((one) => one.name() === 'start')!
  expect(start.registeredArguments).toEqual([])
})
