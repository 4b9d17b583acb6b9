/** Weir's metrics and those of Temporal's SDK, at one address for Prometheus. */
import type { MetricCounter, MetricGauge, MetricHistogram, MetricMeter } from '@temporalio/common'
import type { TelemetryOptions } from '@temporalio/worker'
import { alertKinds } from '../src/core/alerts.js'
import type { BudgetKey, Log } from '../src/core/ports.js'
import type { Spender } from '../src/http/budget.js'
import { type Labels, type Meter, metrics } from '../src/observe/metrics.js'
import type { Trace } from '../src/observe/trace.js'
import type { Warehouse } from '../src/warehouse/driver.js'

/** What a worker is watched by. */
export interface Observers {
  meter: Meter
  trace: Trace
  /** Told of each budget that the process spends of. */
  watchBudget?: (key: BudgetKey, spender: Spender) => void
}

export const prometheusAt = (bindAddress: string): TelemetryOptions => ({
  metrics: {
    prometheus: {
      bindAddress,
      useSecondsForDurations: true,
      countersTotalSuffix: true,
      unitSuffix: true,
      histogramBucketOverrides: Object.fromEntries(
        Object.entries(metrics).flatMap(([name, metric]) => ('buckets' in metric ? [[name, [...metric.buckets]]] : [])),
      ),
    },
  },
})

/** The table of metrics as instruments of the SDK, which serves them beside its own. */
export function createMeter(sdk: MetricMeter): Meter {
  const counters = new Map<string, MetricCounter>()
  const histograms = new Map<string, MetricHistogram>()
  const gauges = new Map<string, MetricGauge>()
  for (const [name, { kind, help }] of Object.entries(metrics)) {
    // The SDK writes a counter's suffix itself.
    if (kind === 'counter') counters.set(name, sdk.createCounter(name.replace(/_total$/, ''), undefined, help))
    else if (kind === 'histogram') histograms.set(name, sdk.createHistogram(name, 'float', undefined, help))
    else gauges.set(name, sdk.createGauge(name, 'float', undefined, help))
  }
  return {
    add: (name, value, labels) => counters.get(name)!.add(value, labels),
    record: (name, value, labels) => histograms.get(name)!.record(value, labels),
    set: (name, value, labels) => gauges.get(name)!.set(value, labels),
  }
}

const sampleMs = 15_000

/** Reads what is no event but a state, now and every quarter of a minute. All workers tell the same of the warehouse. */
export class Sampler {
  private readonly budgets: { key: BudgetKey; spender: Spender }[] = []
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly meter: Meter) {}

  readonly watchBudget = (key: BudgetKey, spender: Spender): void => {
    this.budgets.push({ key, spender })
  }

  start(warehouse: Pick<Warehouse, 'standing' | 'alerts'>, log: Log): void {
    const sample = () => this.sample(warehouse).catch((error: Error) => log.warn(`The warehouse could not be measured: ${error.message}`))
    void sample()
    this.timer = setInterval(() => void sample(), sampleMs)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private async sample(warehouse: Pick<Warehouse, 'standing' | 'alerts'>): Promise<void> {
    const fullest = new Map<string, { used: number; labels: Labels<'weir_budget_used_ratio'> }>()
    for (const { key, spender } of this.budgets) {
      // What follows the budget's name says which endpoint and whose account, of which there may be hundreds.
      // Budgets know the vendor by its title; elsewhere it is named as in the project file.
      const labels = {
        vendor: key.vendor.toLowerCase().replaceAll(' ', '_'),
        account: key.account.slice(0, 8),
        budget: key.budget.split(' ')[0]!,
      }
      const name = Object.values(labels).join()
      const used = spender.used()
      if (used >= (fullest.get(name)?.used ?? 0)) fullest.set(name, { used, labels })
    }
    for (const { used, labels } of fullest.values()) this.meter.set('weir_budget_used_ratio', used, labels)
    for (const { openSlices, openLetters, freshSeconds, ...labels } of await warehouse.standing()) {
      this.meter.set('weir_slices_open', openSlices, labels)
      this.meter.set('weir_dead_letters_open', openLetters, labels)
      if (freshSeconds !== undefined) this.meter.set('weir_freshness_seconds', freshSeconds, labels)
    }
    const open = await warehouse.alerts.openByKind()
    for (const kind of alertKinds) this.meter.set('weir_alerts_open', open.find((one) => one.kind === kind)?.alerts ?? 0, { kind })
  }
}
