import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const setup = fileURLToPath(new URL('../../scripts/setup.sh', import.meta.url))

describe('scripts/setup.sh', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-setup-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('leaves packages alone that lie behind a symbolic link, and says so', () => {
    const [clone, others] = [join(folder, 'clone'), join(folder, 'others')]
    for (const made of [join(clone, 'scripts'), join(others, 'package')]) mkdirSync(made, { recursive: true })
    copyFileSync(setup, join(clone, 'scripts', 'setup.sh'))
    writeFileSync(join(clone, 'package.json'), '{"name":"clone","version":"1.0.0"}')
    writeFileSync(join(clone, 'package-lock.json'), '{"name":"clone","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{}}')
    symlinkSync(others, join(clone, 'node_modules'))
    const { status, stderr } = spawnSync('bash', [join(clone, 'scripts', 'setup.sh')], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain(`node_modules is a symbolic link to ${others}`)
    expect(readdirSync(others)).toEqual(['package'])
  })
})
