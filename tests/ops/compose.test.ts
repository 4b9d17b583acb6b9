import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { promptly } from '../../cli/dev/temporal.js'

const root = new URL('../../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')

interface Service {
  image: string
  build?: string
  profiles?: string[]
  environment?: Record<string, string>
  healthcheck?: Record<string, unknown>
  depends_on?: Record<string, { condition: string }>
  volumes?: string[]
  ports?: string[]
  network_mode?: string
  stop_grace_period?: string
}
const { services, volumes } = parse(text('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined)

// Where Docker is: what Docker itself says of it. It needs no engine.
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0
it.runIf(hasCompose)('docker compose takes the file', () => {
  execFileSync('docker', ['compose', '--profile', '*', 'config', '--quiet'], {
    cwd: fileURLToPath(root),
    env: { ...process.env, WEIR_KEY: 'x' },
  })
})

describe('docker-compose.yml', () => {
  it('has PostgreSQL, Temporal with its UI, workers, the sandbox, and what observes them', () => {
    expect(Object.keys(services)).toEqual(
      expect.arrayContaining(['postgres', 'temporal', 'temporal-ui', 'worker', 'sandbox', 'prometheus', 'grafana']),
    )
    expect(services.prometheus!.profiles).toEqual(['observe'])
    expect(services.grafana!.profiles).toEqual(['observe'])
  })

  it('pins images, opens ports to this machine alone, and waits for what is healthy', () => {
    for (const [name, { image, ports = [], depends_on = {} }] of Object.entries(services)) {
      expect(image, name).toMatch(/^[\w./-]+:(v?\d[\w.]*|local)$/)
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/)
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect(condition).toBe('service_healthy')
        expect(services[other]!.healthcheck, `${name} waits for ${other}`).toBeDefined()
      }
    }
  })

  it('mounts files that are there, and volumes that it names', () => {
    for (const { volumes: mounted = [] } of Object.values(services))
      for (const volume of mounted) {
        const [from = ''] = volume.split(':')
        if (from.startsWith('.')) expect(existsSync(new URL(from, root)), from).toBe(true)
        else expect(volumes).toHaveProperty(from)
      }
  })

  it('sets variables that the worker knows and the documents name', () => {
    const known = `${text('worker/settings.ts')}${text('worker/temporal.ts')}`
    const told = `${text('docs/guides/operate.md')}`
    expect(ours.length).toBeGreaterThan(3)
    for (const [name, { environment = {} }] of ours)
      for (const variable of Object.keys(environment)) {
        expect(known, `${name}: ${variable}`).toContain(variable)
        expect(told, `${name}: ${variable}`).toContain(`\`${variable}\``)
      }
  })

  it('lets Temporal hand tasks out as soon as the one of `weir dev`', () => {
    const { volumes: mounted = [], environment = {} } = services.temporal!
    expect(mounted).toContain(`./ops/temporal.yml:${environment.DYNAMIC_CONFIG_FILE_PATH}:ro`)
    const settings = parse(text('ops/temporal.yml')) as Record<string, { value: number }[]>
    const values = Object.entries(settings).map(([name, [only]]) => [name, String(only!.value)])
    expect(Object.fromEntries(values)).toEqual(promptly)
  })

  it('gives a worker longer to end than it takes', () => {
    const [, force = '0'] = /shutdownForceTime: '(\d+)s'/.exec(text('worker/main.ts')) ?? []
    for (const [, { stop_grace_period }] of ours) expect(Number.parseInt(stop_grace_period!, 10)).toBeGreaterThan(Number(force) + 10)
  })
})

describe('the Dockerfile', () => {
  const dockerfile = text('Dockerfile')
  it('runs as an ordinary user, with a health check, and without what only the build needs', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
    expect(last).toMatch(/\nUSER node\n/)
    expect(last).toContain('HEALTHCHECK')
    expect(last).toContain('COPY --from=packages')
    expect(dockerfile).toContain('--omit=dev')
  })

  it('copies files that are there and not ignored', () => {
    const ignored = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '')
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)]
      .flatMap(([, list]) => list!.split(' '))
      .filter((path) => path !== '.')
    expect(copied.length).toBeGreaterThan(5)
    for (const path of copied) {
      expect(existsSync(new URL(path, root)), path).toBe(true)
      expect(ignored).not.toContain(path)
    }
    // A key or a history of runs has no place in an image.
    expect(ignored).toEqual(expect.arrayContaining(['.weir', '**/.env', '.git']))
  })
})
