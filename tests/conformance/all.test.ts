import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'

it.each(Object.keys(registry))('%s has its file here, which runs the suite over it', (type) => {
  expect(existsSync(new URL(`${type.replaceAll('_', '-')}.test.ts`, import.meta.url))).toBe(true)
})
