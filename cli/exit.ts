import type { RunStatus } from '../src/core/activities.js'
import { asFailure, type Reason, reasons } from '../src/core/failure.js'

/** The four exit codes of every command. */
export const exit = { done: 0, failed: 1, usage: 2, deadLetters: 3 } as const

export function exitOf(statuses: readonly RunStatus[]): number {
  if (statuses.some((status) => ['failed', 'partial', 'cancelled', 'skipped'].includes(status))) return exit.failed
  return statuses.includes('completed_with_dead_letters') ? exit.deadLetters : exit.done
}

/** A failure as the CLI ends with it: what, whose move, and the reason for scripts. */
export function failureText(error: unknown): { code: number; reason: Reason; text: string; message: string } {
  const failure = asFailure(error)
  const { who } = reasons[failure.reason]
  const isBug = failure.reason === 'bug'
  const text = isBug
    ? `Something went wrong that Weir did not expect: ${failure.message}\n${process.env.WEIR_DEBUG ? (failure.stack ?? '') : 'Set WEIR_DEBUG=1 for the stack, and tell us.'}`
    : `${failure.message}${who === 'nobody' ? '' : `\nWhose move: ${who}.`}`
  return { code: failure.reason === 'config' ? exit.usage : exit.failed, reason: failure.reason, text, message: failure.message }
}
