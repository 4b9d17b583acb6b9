import type { Readable } from 'node:stream'
import { vi } from 'vitest'
import { main } from '../../cli/weir.js'
import type { Ran } from './project.js'

export interface Talk {
  /** What a person types. */
  stdin?: Readable
  /** Hears what is printed for people, as it comes. */
  onNote?: (text: string) => void
}

/** Runs a command in this process, from source: what a started one would do, without the seconds that its start takes. */
export async function weirHere(args: readonly string[], env: Record<string, string>, { stdin, onNote }: Talk = {}): Promise<Ran> {
  const before = { ...process.env }
  const taken = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      taken[name] += text
      if (name === 'stderr') onNote?.(String(text))
      return true
    }),
  )
  const typing = stdin && vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as typeof process.stdin)
  Object.assign(process.env, env)
  try {
    process.exitCode = undefined
    await main(['node', 'weir', ...args])
    return { code: Number(process.exitCode ?? 0), ...taken }
  } finally {
    process.exitCode = undefined
    process.env = before
    for (const spy of spies) spy.mockRestore()
    typing?.mockRestore()
  }
}
