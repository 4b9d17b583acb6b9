/** What ops/ asks Prometheus for. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { metrics } from '../../src/observe/metrics.js'

const read = (path: string) => readFileSync(new URL(`../../ops/${path}`, import.meta.url), 'utf8')

export interface Rule {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: { summary: string; runbook: string }
}

export const alertRules = (): Rule[] => (parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules)

export interface Panel {
  id: number
  title: string
  type: string
  gridPos: { x: number; w: number }
  targets?: { expr: string }[]
}

export const dashboard = () => JSON.parse(read('grafana/weir.json')) as { panels: Panel[] }

export const exprsOf = (): string[] => [
  ...alertRules().map(({ expr }) => expr),
  ...dashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
]

const derived = /_(bucket|sum|count)$/

/** Weir's metrics in some expressions: their labels, and those that are asked for. @throws Error for one that the table does not have */
export function metricsIn(exprs: readonly string[]): { name: string; labels: readonly string[]; asked: string[] }[] {
  return exprs.flatMap((expr) =>
    [...expr.matchAll(/\b(weir_\w+)(?:\{([^}]*)\})?/g)].map(([, series = '', selector = '']) => {
      const name = series in metrics ? series : series.replace(derived, '')
      const metric = metrics[name as keyof typeof metrics]
      if (!metric || (name !== series && metric.kind !== 'histogram')) throw new Error(`No metric ${series}: ${expr}`)
      return { name, labels: metric.labels as readonly string[], asked: [...selector.matchAll(/(\w+)\s*=/g)].map(([, label]) => label!) }
    }),
  )
}

/** Names of Temporal's metrics in some expressions. */
export const temporalMetricsIn = (exprs: readonly string[]): string[] => [
  ...new Set(exprs.flatMap((expr) => [...expr.matchAll(/\btemporal_\w+/g)].map(([name]) => name))),
]
