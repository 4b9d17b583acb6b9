import { runWorker } from '../../worker/main.js'
import { workerSettings } from '../../worker/settings.js'

/** A production worker, until a signal. */
export async function run(): Promise<number> {
  await runWorker(workerSettings(process.env))
  return 0
}
