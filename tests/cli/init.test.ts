import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { startSandbox } from '../../sandbox/serve.js'
import { weirHere } from '../support/command.js'

describe('weir init', () => {
  let folder: string
  const init = (...args: string[]) => weirHere(['init', folder, ...args], {})
  const written = (name: string) => readFile(join(folder, name), 'utf8')

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-init-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('leaves a line to fill in for each secret, and says so', async () => {
    const { code, stdout } = await init('--vendor', 'klaviyo', 'hubspot')
    expect(code).toBe(0)
    expect(await written('.env')).toBe('KLAVIYO_API_KEY=\nHUBSPOT_ACCESS_TOKEN=\n')
    expect(stdout).toContain(`fill in ${join(folder, '.env')}`)
  })

  it('writes a project that works with the sandbox as it is, and names the command that serves it', async () => {
    const { code, stdout } = await init('--sandbox', '--vendor', 'klaviyo', 'hubspot')
    expect(code).toBe(0)
    expect(stdout).toContain('weir sandbox')
    expect(stdout).not.toContain('fill in')
    const sandbox = await startSandbox({ people: 50 })
    try {
      expect(await written('.env')).toBe(`KLAVIYO_API_KEY=${sandbox.klaviyo.apiKey}\nHUBSPOT_ACCESS_TOKEN=${sandbox.hubspot.token}\n`)
    } finally {
      await sandbox.stop()
    }
  })

  it.each(Object.keys(registry))('writes a valid project of %s, for the sandbox and to fill in', async (type) => {
    expect((await init('--sandbox', '--vendor', type)).code).toBe(0)
    const { code, stdout, stderr } = await weirHere(['validate', '--config', join(folder, 'weir.yaml')], {})
    expect(code, stdout + stderr).toBe(0)
    await rm(folder, { recursive: true })
    expect((await init('--vendor', type)).code).toBe(0)
    const { basics } = await registry[type]!()
    const lines = (await written('.env')).trim().split('\n')
    expect(lines).toEqual(basics.map((key) => `${type}_${key}=`.toUpperCase()))
  })

  it('leads to `weir connect` where a person’s consent gives the credential, and leaves no line for that', async () => {
    const { stdout } = await init('--vendor', 'klaviyo', 'google_ads', 'salesforce')
    expect(stdout).toContain('&& weir connect google_ads && weir connect salesforce && weir check')
    expect(await written('.env')).not.toContain('REFRESH_TOKEN')
    await rm(folder, { recursive: true })
    expect((await init('--sandbox', '--vendor', 'google_ads')).stdout).not.toContain('weir connect')
  })

  it('writes nothing over what is there', async () => {
    await init()
    const { code, stderr } = await init('--sandbox')
    expect(code).toBe(2)
    expect(stderr).toContain('exists already; it was left alone')
    expect(await written('.env')).toBe('KLAVIYO_API_KEY=\n')
  })
})
