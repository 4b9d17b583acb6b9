import { connector, streamsOf } from '../../../connectors/salesforce/source.js'
import type { Sandbox } from '../../../sandbox/serve.js'
import type { Fields, Http, Page, Rec, Resume, Slice, Stream } from '../../../src/core/types.js'
import { createAccounts } from '../../../src/http/budget.js'
import { createHttp } from '../../../src/http/client.js'
import { turnedClock } from '../vendor.js'

const quiet = () => {}
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** The connector's own client before the sandbox's org, whose sessions live by the wall's clock; here time passes only when somebody waits. */
export function open(
  sandbox: Sandbox,
  settings: Record<string, unknown> = { access_token: sandbox.salesforce.token },
  baseUrl = sandbox.url,
): Http {
  const clock = turnedClock(new Date().toISOString())
  const definition = { name: 'sf', type: 'salesforce', baseUrl, settings }
  return createHttp(connector.api, definition, {
    clock,
    log,
    accounts: createAccounts(clock),
    limits: { retries: 2, retryMs: 1 },
    random: () => 0.5,
  })
}

/** Every slice by REST, and every slice by a bulk job. */
export const byRest = streamsOf(Number.POSITIVE_INFINITY)
export const byBulk = streamsOf(0)

export const fieldsOf = async (http: Http, { discover, fields }: Stream): Promise<Fields> => ({ ...(await discover?.(http)), ...fields })

/** The pages of one slice as the engine reads them: a rest while the vendor works is gone on from at once. */
export async function read(
  http: Http,
  stream: Stream,
  slice: Partial<Slice> = {},
  more: { resume?: Resume; fields?: Fields } = {},
): Promise<Page[]> {
  const pass = stream.passes.find(({ name }) => name === (slice.pass ?? 'main'))!
  const fields = more.fields ?? (await fieldsOf(http, stream))
  const pages: Page[] = []
  for (let resume = more.resume; ; resume = pages.at(-1)?.resume) {
    try {
      for await (const page of pass.read({ http, slice: { pass: pass.name, ...slice }, fields, resume })) pages.push(page)
      return pages
    } catch (error) {
      if ((error as { where?: { waitUntil?: string } }).where?.waitUntil === undefined) throw error
    }
  }
}

export const recordsIn = (pages: readonly Page[], stream: Stream): Rec[] =>
  pages.flatMap(({ records }) => records.map((raw) => stream.record({ ...raw })))
export const byId = (records: readonly Rec[]) => new Map(records.map((record) => [String(record.Id), record]))
