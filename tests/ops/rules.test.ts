import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { alertRules, dashboard, exprsOf, metricsIn } from '../support/ops.js'

const root = new URL('../../', import.meta.url)

describe('ops/', () => {
  it('has rules that Prometheus would take, each with a page on what to do', () => {
    for (const { alert, expr, labels, annotations, for: lasts = '0s', ...rest } of alertRules()) {
      expect(alert).toMatch(/^Weir[A-Za-z]+$/)
      expect(expr.split('(').length, alert).toBe(expr.split(')').length)
      expect(['info', 'warning', 'critical'], alert).toContain(labels.severity)
      expect(lasts).toMatch(/^\d+[smh]$/)
      expect(rest, alert).toEqual({})
      expect(annotations.summary.length, alert).toBeGreaterThan(20)
      expect(annotations.runbook).toBe(`ops/runbooks/${alert}.md`)
      expect(existsSync(new URL(annotations.runbook, root)), annotations.runbook).toBe(true)
      expect(readFileSync(new URL(annotations.runbook, root), 'utf8')).toMatch(/^# Weir\w+\n[\s\S]*What it means[\s\S]*Look[\s\S]*Do\./)
    }
  })

  it('scrapes the port on which the workers of docker-compose.yml serve', () => {
    const { scrape_configs, rule_files } = parse(readFileSync(new URL('ops/prometheus.yml', root), 'utf8'))
    expect(rule_files).toEqual(['alerts.yml'])
    const { services } = parse(readFileSync(new URL('docker-compose.yml', root), 'utf8'), { merge: true })
    const [target] = scrape_configs[0].dns_sd_configs
    expect(services[target.names[0]].environment.WEIR_METRICS_ADDRESS).toBe(`0.0.0.0:${target.port}`)
  })

  it('has a dashboard whose panels each ask for something, and lie side by side', () => {
    const { panels } = dashboard()
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { title, type, gridPos, targets = [] } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      if (type !== 'row') expect(targets.length, title).toBeGreaterThan(0)
    }
  })

  it('asks for labels that the metrics have', () => {
    const known = new Map(metricsIn(exprsOf()).map(({ name, labels }) => [name, labels]))
    expect(known.size).toBeGreaterThan(15)
    for (const { name, labels, asked } of metricsIn(exprsOf())) expect(labels, name).toEqual(expect.arrayContaining(asked))
  })
})
