import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { Failure } from '../../src/core/failure.js'

/**
 * The address that a browser on another machine was sent to, as the person pastes it.
 * @throws Failure `config` where it is no address, or not the answer to this question (`state`)
 */
export async function pasted(state: string, signal: AbortSignal, from: Readable = process.stdin): Promise<URLSearchParams> {
  const terminal = createInterface({ input: from, output: process.stderr })
  try {
    const text = (await line(terminal, signal)).trim()
    if (!URL.canParse(text))
      throw new Failure('config', 'That is no address. Paste the whole line of the browser’s address bar, from http:// to its end.')
    const { searchParams } = new URL(text)
    if (searchParams.get('state') === state) return searchParams
    throw new Failure(
      'config',
      'That address does not belong to this try (its state is another): open the newest address, and paste what comes of it.',
    )
  } finally {
    terminal.close()
  }
}

function line(terminal: ReturnType<typeof createInterface>, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    terminal.once('close', () => reject(new Failure('config', 'No address came on standard input: paste it, or run without --no-browser.')))
    signal.addEventListener('abort', () => reject(signal.reason))
    terminal.question('Paste the address that the browser was sent to: ').then(resolve, reject)
  })
}
