import * as z from 'zod'
import type { Timing } from '../src/core/activities.js'
import { Failure } from '../src/core/failure.js'
import { encryptsPayloads } from './codec.js'
import type { StatusAddress } from './status-server.js'
import { type TemporalSettings, temporalSettings } from './temporal.js'

/** What a worker needs of its surroundings; all of it from the environment. */
export interface WorkerSettings {
  temporal: TemporalSettings
  /** Where people see runs; without it messages and the status page have no links. */
  temporalUiUrl: string | undefined
  warehouseUrl: string
  /** Folder whose `.env` holds secrets; the environment wins over it. */
  projectDir: string
  logLevel: string
  timing: Timing
  /** Bulk activities at once; each holds one warehouse connection and up to two batches. */
  slots: number
  /** Queue of bulk work; short questions have `<queue>-control`, so that they never wait behind it. */
  queue: string
  /** Protects what must be kept (rotated tokens); without it such things are refused. */
  key: string | undefined
  /** Where Prometheus finds the metrics, as host:port; undefined: nowhere. */
  metricsAddress: string | undefined
  /** Is there somewhere to send traces to? */
  isTraced: boolean
  /** Is what Temporal keeps encrypted? */
  encryptsPayloads: boolean
  /** Names this version of the worker to Temporal, which then gives it only the runs that are its own. */
  buildId: string | undefined
  /** Where the status page is served; nowhere when off. */
  statusAddress: StatusAddress | undefined
}

/** Where the status page of a worker is, unless something else is set. */
export const statusPort = 8300

const milliseconds = (byDefault: number) => z.coerce.number().int().min(50).default(byDefault)

const environment = z.object({
  TEMPORAL_UI_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  WAREHOUSE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address'),
  WEIR_PROJECT_DIR: z.string().default('.'),
  WEIR_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  WEIR_HEARTBEAT_MS: milliseconds(30_000),
  WEIR_RETRY_MS: milliseconds(2_000),
  WEIR_SLOTS: z.coerce.number().int().min(1).max(100).default(8),
  WEIR_TASK_QUEUE: z.string().min(1).default('weir'),
  WEIR_KEY: z.string().min(32).optional(),
  WEIR_BUILD_ID: z
    .string()
    .regex(/^[\w.+-]{1,120}$/, 'may have letters, digits, and . _ + -')
    .optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  WEIR_METRICS_ADDRESS: z
    .string()
    .regex(/^[\w.[\]:-]+:\d{1,5}$/, 'must be host:port, such as 0.0.0.0:9464')
    .optional(),
  WEIR_STATUS_ADDRESS: z
    .string()
    .regex(/^(off|(\[[\da-f:]+\]|[\w.-]+):\d{1,5})$/i, 'must be host:port, or off')
    .default(`127.0.0.1:${statusPort}`),
})

/** @throws Failure `config`, naming every variable that is missing or wrong. */
export function workerSettings(env: NodeJS.ProcessEnv): WorkerSettings {
  // Compose files pass what is not set as an empty text.
  const parsed = environment.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    throw new Failure('config', `The worker's environment is not complete: ${problems}. See docs/guides/operate.md.`)
  }
  const set = parsed.data
  return {
    temporal: temporalSettings(env),
    temporalUiUrl: set.TEMPORAL_UI_URL,
    warehouseUrl: set.WAREHOUSE_URL,
    projectDir: set.WEIR_PROJECT_DIR,
    logLevel: set.WEIR_LOG_LEVEL,
    timing: { heartbeatMs: set.WEIR_HEARTBEAT_MS, retryMs: set.WEIR_RETRY_MS },
    slots: set.WEIR_SLOTS,
    queue: set.WEIR_TASK_QUEUE,
    key: set.WEIR_KEY,
    encryptsPayloads: encryptsPayloads(env),
    buildId: set.WEIR_BUILD_ID,
    metricsAddress: set.WEIR_METRICS_ADDRESS,
    isTraced: set.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined || set.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined,
    statusAddress: addressOf(set.WEIR_STATUS_ADDRESS),
  }
}

function addressOf(text: string): StatusAddress | undefined {
  if (text === 'off') return undefined
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}
