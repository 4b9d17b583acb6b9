import { existsSync } from 'node:fs'
import { registry } from '../../connectors/registry.js'
import { conformance } from './suite.js'

/** Large vendors have a file of their own, so that they run side by side; all others are here, without a line for any. */
const others = Object.keys(registry).filter((type) => !existsSync(new URL(`${type.replaceAll('_', '-')}.test.ts`, import.meta.url)))
for (const type of others) await conformance(type)
