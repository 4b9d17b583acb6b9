/** Pausing what runs: what a person sends, what is wrong with it, and what the worker writes down. Types and pure checks only. */
import type { RunKind } from './activities.js'

/** A pause in force. */
export interface Pause {
  /** Who paused it: a name, as the client gives it. */
  by: string
  reason: string
  /** ISO instant. */
  at: string
}

/** Argument of Update `pause`, as it is typed in the Temporal UI. */
export type PauseRequest = Pick<Pause, 'by' | 'reason'>
/** Argument of Update `resume`. */
export type ResumeRequest = Pick<Pause, 'by'>

/** What is written down of a pause: of a run with all its streams, or of one stream. */
export interface PauseNote {
  run: string
  sync: string
  stream?: string
  pause: Pause
  /** Of a run: what its row says, should the pause come before the run has one. */
  starts?: { definition: string; kind: RunKind }
}
export interface ResumeNote {
  run: string
  stream?: string
  by: string
  /** ISO instant. */
  at: string
}

/** Queue `weir-control`: a pause must not wait behind the slices that it waits for. */
export interface PauseActivities {
  notePause: (input: PauseNote) => Promise<void>
  noteResume: (input: ResumeNote) => Promise<void>
}

const longest = 300

/** What is wrong with an argument of `pause`, in words for whoever typed it; undefined when nothing is. */
export function pauseProblem(given: unknown, now: Pause | undefined): string | undefined {
  const wrong = problemOf(given, ['by', 'reason'], '{"by": "your name", "reason": "why"}')
  if (wrong !== undefined) return wrong
  return now && `It is paused already, by ${now.by} since ${now.at}: ${now.reason}. To go on, send the Update resume.`
}

/** What is wrong with an argument of `resume`; undefined when nothing is. */
export function resumeProblem(given: unknown, now: Pause | undefined): string | undefined {
  return problemOf(given, ['by'], '{"by": "your name"}') ?? (now ? undefined : 'It is not paused, so there is nothing to resume.')
}

function problemOf(given: unknown, keys: readonly string[], example: string): string | undefined {
  const asked = `Give one JSON object: ${example}.`
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return asked
  for (const key of keys) {
    const value = (given as Record<string, unknown>)[key]
    if (typeof value !== 'string' || value.trim() === '') return `"${key}" is missing, or no text. ${asked}`
    if (value.length > longest) return `"${key}" is longer than ${longest} characters.`
    if (/\S@\S+\.\S/.test(value)) return `"${key}" holds an e-mail address; histories keep no addresses. Give a name.`
  }
  const unknown = Object.keys(given).find((key) => !keys.includes(key))
  return unknown === undefined ? undefined : `"${unknown}" is not known here. ${asked}`
}
