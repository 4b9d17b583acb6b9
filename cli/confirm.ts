import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { Failure } from '../src/core/failure.js'

/** Asks at a terminal; elsewhere the answer must be given as an option, and the failure says `about` what. */
export async function isSure(question: string, option = '--yes', about?: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Failure('config', `${about === undefined ? '' : `${about}\n`}${question} Answer with ${option}.`)
  if (about !== undefined) process.stderr.write(`${about}\n`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test(await terminal.question(`${question} [y/N] `))
  } finally {
    terminal.close()
  }
}

/** Who gives the command, as the machine knows them; undefined in a container whose user has no name. */
export function who(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
