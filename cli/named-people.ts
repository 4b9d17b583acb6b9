import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { input } from '@inquirer/prompts'
import { Failure } from '../src/core/failure.js'
import type { Named } from '../src/engine/audience/erase.js'
import type { PersonKind } from '../src/warehouse/contract/erasures.js'

export interface NamingOptions {
  kind?: PersonKind
  model?: string
  country?: string
  file?: string
}

/**
 * Whom a command is about: from a file or standard input, a line each; at a terminal it asks for one. Never from the arguments, which a shell's
 * history and the list of processes keep.
 */
export async function readNamed(options: NamingOptions): Promise<Named[]> {
  const lines = (await readText(options.file)).split(/\r?\n/).map((line) => line.trim())
  const people = lines.filter((line) => line !== '')
  if (people.length === 0)
    throw new Failure(
      'config',
      'Nobody was named: give an e-mail address, a phone number or a key, one a line, on standard input or with --file.',
    )
  return people.map((text, at) => ({ kind: kindOf(text, at + 1, options), text, country: options.country, model: options.model }))
}

async function readText(file: string | undefined): Promise<string> {
  if (file === undefined)
    return process.stdin.isTTY
      ? input({ message: 'E-mail address, phone number or key of the person:' }, { output: process.stderr })
      : readAll(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure('config', `--file: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, {}, { cause: error })
  }
}

/** @throws Failure `config`, which names the line and not what it says */
function kindOf(text: string, line: number, { kind, model }: NamingOptions): PersonKind {
  if (kind !== undefined) return kind
  if (model !== undefined) return 'key'
  if (text.includes('@')) return 'email'
  if (/^[+(\d][\d\s().+-]*$/.test(text)) return 'phone'
  throw new Failure('config', `Line ${line} is no e-mail address and no phone number. Of a key: --model NAME, the model that has it.`)
}
