import { startSandbox } from '../../sandbox/serve.js'
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
    printer.json({
      klaviyo: sandbox.klaviyo,
      hubspot: sandbox.hubspot,
      salesforce: { url: sandbox.salesforce.url, token: sandbox.salesforce.token, oauth: sandbox.salesforce.oauth },
    })
    printer.table(
      ['vendor', 'base_url', 'credential'],
      [
        ['klaviyo', sandbox.klaviyo.url, `api_key: ${sandbox.klaviyo.apiKey}`],
        ['hubspot', sandbox.hubspot.url, `access_token: ${sandbox.hubspot.token}`],
        ['salesforce', sandbox.salesforce.url, `access_token: ${sandbox.salesforce.token}`],
      ],
    )
    printer.line('\nCtrl-C stops it. What it can be told to do: sandbox/README.md.')
    await untilSignal()
  } finally {
    await sandbox.stop()
  }
  return 0
}
