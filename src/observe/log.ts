import { AsyncLocalStorage } from 'node:async_hooks'
import { pino } from 'pino'
import type { Log } from '../core/ports.js'
import type { Redact } from './redact.js'

/** What stands on every line that is written while some work runs: run, sync, stream, slice. */
export type Bindings = Readonly<Record<string, string | number>>

const current = new AsyncLocalStorage<Bindings>()

/** Runs `work` with these on all its lines, whoever writes them. */
export const withBindings = <T>(bindings: Bindings, work: () => T): T => current.run({ ...current.getStore(), ...bindings }, work)

const secretKeys = ['authorization', 'password', 'token', 'secret', 'api_key']

interface LogOptions {
  level: string
  redact: Redact
  /** Lines for people at a terminal instead of JSON. */
  isPretty?: boolean
  write?: (text: string) => void
}

/** JSON lines on standard error, redacted by value and by key. */
export function createLog({ level, redact, isPretty = false, write = (text) => void process.stderr.write(text) }: LogOptions): Log {
  const out = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => current.getStore() ?? {},
      serializers: { error: pino.stdSerializers.err },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '***' },
    },
    { write: (line: string) => write(redact(isPretty ? pretty(line) : line)) },
  )
  return {
    debug: (message, fields = {}) => out.debug(fields, message),
    info: (message, fields = {}) => out.info(fields, message),
    warn: (message, fields = {}) => out.warn(fields, message),
    error: (message, fields = {}) => out.error(fields, message),
  }
}

/** One line for people: time, level, message, then the fields. */
function pretty(line: string): string {
  const { time, level, msg, error, ...fields } = JSON.parse(line) as Record<string, unknown> & { error?: { stack?: string } }
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const stack = error?.stack === undefined ? '' : `\n${error.stack}`
  return `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${msg} ${shown.join(' ')}`.trimEnd().concat(stack, '\n')
}
