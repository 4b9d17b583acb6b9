// Before all that uses prompts: it takes the terminal's place.

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { screen } from '@inquirer/testing/vitest'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { weirHere } from '../support/command.js'
import { freshDatabase } from '../support/postgres.js'

describe('weir init at a terminal', { timeout: 60_000 }, () => {
  let folder: string
  const isTty = process.stdin.isTTY
  const written = (name: string) => readFile(join(folder, name), 'utf8')
  const shows = (text: string) => vi.waitFor(() => expect(screen.getScreen()).toContain(text), { timeout: 30_000, interval: 20 })
  /** Waits for a question, and answers it with these keys. */
  const answer = async (question: string, ...keys: string[]) => {
    await shows(question)
    for (const key of keys)
      if (['enter', 'down', 'space'].includes(key)) screen.keypress(key)
      else screen.type(key)
  }
  const validate = () => weirHere(['validate', '--config', join(folder, 'weir.yaml')], {})

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-wizard-'))
    process.stdin.isTTY = true
  })
  afterEach(async () => {
    process.stdin.isTTY = isTty
    await rm(folder, { recursive: true, force: true })
  })

  it('asks for vendor, keys, streams, schedule and warehouse, and writes a project that is valid', async () => {
    const ran = weirHere(['init', folder], {})
    await answer('Which vendors?', 'down', 'down', 'space', 'enter')
    await answer('Whose data?', 'enter')
    await answer('Klaviyo, api_key', 'pk_0123456789 # not a comment', 'enter')
    await answer('Klaviyo: the ', 'n', 'enter')
    await answer('Klaviyo: which streams?', 'enter')
    await answer('How often?', 'down', 'down', 'down', 'enter')
    await answer('in which time zone?', 'enter')
    await answer('Where do the tables go?', 'enter')
    await answer('Check it now?', 'n', 'enter')
    const { code, stdout, stderr } = await ran
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('weir apply for its schedule')
    expect(stdout + stderr + (await screen.getFullOutput())).not.toContain('pk_0123456789')
    expect(await written('.env')).toBe("KLAVIYO_API_KEY='pk_0123456789 # not a comment'\n")
    expect((await stat(join(folder, '.env'))).mode & 0o777).toBe(0o600)
    const yaml = await written('weir.yaml')
    expect(yaml).toContain('api_key: ${KLAVIYO_API_KEY}')
    expect(yaml).toMatch(/schedule: \{ cron: "0 6 \* \* \*", timezone: \S+ \}/)
    expect(yaml).toContain('      profiles: {}')
    expect((await validate()).code).toBe(0)
  })

  it('takes what is set in the environment, tries the warehouse, and asks again for one that does not answer', async () => {
    const database = await freshDatabase(inject('postgresUrl'))
    try {
      const ran = weirHere(['init', folder], { KLAVIYO_API_KEY: 'pk_of_the_environment' })
      await answer('Which vendors?', 'down', 'down', 'space', 'enter')
      await answer('Whose data?', 'enter')
      await answer('Klaviyo: the ', 'enter')
      await answer('How often?', 'enter')
      await answer('Where do the tables go?', 'down', 'enter')
      await answer('Its address', 'postgres://nobody@127.0.0.1:9/nothing', 'enter')
      await answer('Keep this address all the same?', 'enter')
      await answer('Its address', database.url, 'enter')
      await answer('Check it now?', 'n', 'enter')
      expect((await ran).code).toBe(0)
      expect(await written('.env')).toBe(`WAREHOUSE_URL=${database.url}\n`)
      expect(await written('weir.yaml')).toContain('warehouse: { type: postgres, url: "${WAREHOUSE_URL}" }')
    } finally {
      await database.drop()
    }
  })

  it('writes for the sandbox without a key to type', async () => {
    const ran = weirHere(['init', folder], {})
    await answer('Which vendors?', 'down', 'down', 'space', 'enter')
    await answer('Whose data?', 'down', 'enter')
    await answer('Klaviyo: the ', 'enter')
    await answer('How often?', 'down', 'down', 'down', 'down', 'enter')
    await answer('Where do the tables go?', 'enter')
    const { code, stdout } = await ran
    expect(code).toBe(0)
    expect(stdout).toContain('weir sandbox')
    expect(await written('weir.yaml')).toContain('klaviyo: { from: klaviyo }')
    expect((await validate()).code).toBe(0)
  })
})
