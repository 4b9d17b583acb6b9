import { jsonSchema } from '../../src/config/json-schema.js'
import { loadVendors } from '../vendors.js'

export async function run(): Promise<number> {
  process.stdout.write(`${JSON.stringify(jsonSchema(await loadVendors()), null, 2)}\n`)
  return 0
}
