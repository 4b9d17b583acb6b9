import { pino } from 'pino'
import type { Log } from '../core/ports.js'
import type { Redact } from './redact.js'

/** JSON lines on standard error, redacted by value and by key. `bindings` (run, stream, slice) stand on every line. */
export function createLog({ level, redact, bindings = {} }: { level: string; redact: Redact; bindings?: Record<string, unknown> }): Log {
  const out = pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.authorization', '*.password', '*.token', '*.secret', '*.api_key'], censor: '***' },
    },
    { write: (line: string) => process.stderr.write(redact(line)) },
  )
  return {
    debug: (message, fields = {}) => out.debug(fields, message),
    info: (message, fields = {}) => out.info(fields, message),
    warn: (message, fields = {}) => out.warn(fields, message),
    error: (message, fields = {}) => out.error(fields, message),
  }
}
