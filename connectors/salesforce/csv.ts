import { parse } from 'csv-parse/sync'
import { Failure } from '../../src/core/failure.js'
import type { Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'

/**
 * The rows of a bulk job's CSV, by its header. @param what it is, for messages
 * @throws Failure `transient` where the text breaks off; of the library's error, which quotes values, only the code goes on
 */
export function rowsOf(body: Rec, what: string): Rec[] {
  try {
    return parse(String(at(body, 'text') ?? ''), { bom: true, columns: true }) as Rec[]
  } catch (error) {
    throw new Failure('transient', `Salesforce gave ${what} that are no whole CSV (${String((error as { code?: unknown }).code)}).`)
  }
}
