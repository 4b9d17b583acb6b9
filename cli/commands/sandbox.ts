import { sandboxConnections, startSandbox } from '../../sandbox/serve.js'
import type { Printer } from '../print.js'
import { untilSignal } from '../until-signal.js'

export async function run({
  options,
  printer,
}: {
  options: { port: number; people: number; seed: number }
  printer: Printer
}): Promise<number> {
  const sandbox = await startSandbox({ port: options.port, people: options.people, seed: options.seed })
  try {
    const connections = Object.entries(sandboxConnections).map(
      ([type, keys]) => [type, { base_url: sandbox.url, ...keys(sandbox.url) }] as const,
    )
    printer.json(Object.fromEntries(connections))
    printer.table(
      ['vendor', 'connection'],
      connections.map(([type, keys]) => [type, JSON.stringify(keys)]),
    )
    printer.line('\nCtrl-C stops it. What it can be told to do: sandbox/README.md.')
    await untilSignal()
  } finally {
    await sandbox.stop()
  }
  return 0
}
