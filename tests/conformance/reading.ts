/** How the conformance tests come to a vendor's records: a client, slices, pages. */
import type { ConnectionDefinition } from '../../src/core/definition.js'
import type { Clock } from '../../src/core/ports.js'
import type { Fields, Http, Pass, Slice, Slicing, Stream } from '../../src/core/types.js'
import type { Connector } from '../../src/extract/connector.js'
import { createAccounts } from '../../src/http/budget.js'
import { type ClientLimits, createHttp } from '../../src/http/client.js'

export const now = new Date('2026-11-20T12:00:00.000Z')
/** Not a whole one: vendors keep some things for thirty days. */
export const monthAgo = '2026-10-23T12:00:00.000Z'

/** Waits that a vendor asks for pass at once, and turn the clock of the client that waits. */
function leapingClock(): Clock {
  let aheadMs = 0
  return {
    now: () => new Date(Date.now() + aheadMs),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        aheadMs += ms
        setTimeout(resolve, 0)
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  }
}
const quiet = () => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

export interface Opening {
  limits?: Partial<ClientLimits>
  apiVersion?: string
  signal?: AbortSignal
}

/** A client of its own for a connection with these keys. */
export function openAt(
  url: string,
  { type, api }: Connector,
  settings: ConnectionDefinition['settings'],
  { limits, apiVersion, signal }: Opening = {},
): Http {
  const definition: ConnectionDefinition = {
    name: `${type}-test`,
    type,
    baseUrl: url,
    budget: 'off',
    settings,
    ...(apiVersion ? { apiVersion } : {}),
  }
  const clock = leapingClock()
  return createHttp(api, definition, {
    clock,
    log,
    accounts: createAccounts(clock),
    random: () => 0,
    limits: { retryMs: 1, ...limits },
    ...(signal ? { signal } : {}),
  })
}

/** The slices that a first run, and a later one, would read of a pass. */
export async function slicesOf({ name, slicing }: Pass, http: Http, parentsAtMost = 3): Promise<Slice[]> {
  if (slicing.by === 'all') return [{ pass: name }]
  const ranges = slicing.by === 'time' ? rangesOf(slicing) : [{}]
  if (!slicing.parents) return ranges.map((range) => ({ pass: name, ...range }))
  const parents: string[] = []
  for await (const parent of slicing.parents(http)) if (parents.push(parent) >= parentsAtMost) break
  return parents.flatMap((parent) => ranges.map((range) => ({ pass: name, parent, ...range })))
}

function rangesOf({ first, wholeDays }: Extract<Slicing, { by: 'time' }>): Omit<Slice, 'pass'>[] {
  const midnight = (instant: number) => new Date(Math.floor(instant / 86_400_000) * 86_400_000).toISOString()
  if (wholeDays) return [{ from: midnight(Date.parse(monthAgo)), to: midnight(now.getTime() + 86_400_000) }]
  const to = now.toISOString()
  return [...(first === 'whole' ? [{ to }] : []), { from: monthAgo, to }]
}

export const fieldsOf = async ({ discover, fields }: Stream, http: Http): Promise<Fields> => ({
  ...(discover ? await discover(http) : {}),
  ...fields,
})
