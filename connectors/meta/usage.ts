import { at } from '../../src/extract/paginate.js'

/** The usage headers: JSON in each, percents that may pass 100, waits in minutes here and in seconds there. Good and bad answers have them. */
type Headers = Readonly<Record<string, string>>

const minute = 60_000

function parsed(header: string | undefined): unknown {
  if (header === undefined) return undefined
  try {
    return JSON.parse(header)
  } catch {
    // What is no JSON says nothing.
    return undefined
  }
}

/** Of each account or business several entries, one a use: the worst counts. */
const useCases = (headers: Headers): unknown[] =>
  Object.values((parsed(headers['x-business-use-case-usage']) ?? {}) as object).flatMap((entries) =>
    Array.isArray(entries) ? entries : [],
  )

const percents = ['call_count', 'total_time', 'total_cputime', 'acc_id_util_pct', 'app_id_util_pct']

/** The highest of all percents, and the access of the app where a header tells it. */
export function usagePercent(headers: Headers): { percent: number; tier: string | undefined } {
  const told = [
    parsed(headers['x-app-usage']),
    parsed(headers['x-ad-account-usage']),
    parsed(headers['x-fb-ads-insights-throttle']),
    ...useCases(headers),
  ]
  const numbers = told.flatMap((one) => percents.map((name) => Number(at(one, name) ?? 0))).filter(Number.isFinite)
  const tier = told.map((one) => at(one, 'ads_api_access_tier')).find((one) => typeof one === 'string') as string | undefined
  return { percent: Math.max(0, ...numbers), tier }
}

/** When the account may be asked again; 0 at once, undefined where no header says so. */
export function regainMs(headers: Headers): number | undefined {
  const minutes = useCases(headers).map((one) => Number(at(one, 'estimated_time_to_regain_access') ?? Number.NaN))
  const account = parsed(headers['x-ad-account-usage'])
  const isSpent = Number(at(account, 'acc_id_util_pct') ?? 0) >= 100
  const seconds = isSpent ? Number(at(account, 'reset_time_duration') ?? Number.NaN) : Number.NaN
  const waits = [...minutes.map((one) => one * minute), seconds * 1_000].filter(Number.isFinite)
  return waits.length === 0 ? undefined : Math.max(...waits)
}
