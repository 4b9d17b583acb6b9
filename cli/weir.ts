import { Command } from 'commander'
import { exit } from './exit.js'
import { declareAudiences } from './usage/audiences.js'
import { declareDeploy } from './usage/deploy.js'
import { declareRecords } from './usage/records.js'
import { declareRuns } from './usage/runs.js'
import { declareServices } from './usage/services.js'
import { declareSetup } from './usage/setup.js'
import { declareState } from './usage/state.js'

const program = new Command('weir')
  .description('Marketing data into your warehouse, without losing or doubling a row.')
  .version('0.1.0')
  .configureHelp({ sortSubcommands: false })
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    '\nExit codes: 0 done · 1 failed (a stream or more) · 2 usage or configuration · 3 done with dead letters\nDocs: docs/quickstart.md, docs/reference/cli.md',
  )

// In this order they are listed.
declareSetup(program)
declareRuns(program)
declareDeploy(program)
declareState(program)
declareRecords(program)
declareAudiences(program)
declareServices(program)

export { program }

export async function main(argv: readonly string[]): Promise<void> {
  program.exitOverride()
  for (const sub of program.commands.flatMap((one) => [one, ...one.commands])) sub.exitOverride()
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    const code = (error as { exitCode?: number }).exitCode
    process.exitCode = code === undefined ? exit.failed : code === 0 ? 0 : exit.usage
  }
}
