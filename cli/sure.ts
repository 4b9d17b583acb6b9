import { createInterface } from 'node:readline/promises'
import { Failure } from '../src/core/failure.js'

/** Asks at a terminal; elsewhere the answer must be given as an option. */
export async function isSure(question: string, option = '--yes'): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Failure('config', `${question} Answer with ${option}.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test(await terminal.question(`${question} [y/N] `))
  } finally {
    terminal.close()
  }
}
