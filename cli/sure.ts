import { createInterface } from 'node:readline/promises'
import { Failure } from '../src/core/failure.js'

/** Asks at a terminal; elsewhere the answer must be given as --yes. */
export async function isSure(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Failure('config', `${question} Answer with --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test(await terminal.question(`${question} [y/N] `))
  } finally {
    terminal.close()
  }
}
