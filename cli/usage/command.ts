import { type Command, InvalidArgumentError, Option } from 'commander'
import { failureText } from '../exit.js'
import { createPrinter, type Printer } from '../print.js'

/** Options that every command takes. */
export interface Common {
  json?: boolean
  config?: string
  env?: string
}

/** What a command's action gets: its options, the printer, and its positional arguments. It answers with an exit code. */
type Action<O> = (context: { options: O & Common; printer: Printer; args: string[] }) => Promise<number>
type Load<O> = () => Promise<{ run: Action<O> }>

/** One command: its words, an example, and where its code is; that is loaded only when it runs. */
export function command<O>(
  parent: Command,
  usage: string,
  description: string,
  example: string,
  load: Load<O>,
  options: Option[] = [],
  settings: { isDefault?: boolean } = {},
): Command {
  const made = parent.command(usage, settings).description(description).addHelpText('after', `\nExample:\n  $ ${example}`)
  for (const option of options) made.addOption(option)
  made.option('--json', 'print the answer as JSON')
  made.option('--config <file>', 'the project file (default: weir.yaml here, else config/weir.yaml)')
  made.option('--env <name>', 'use this environment of the project file')
  return made.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command
    // With those of the command that it stands under, which are read first wherever they stand.
    const parsed = self.optsWithGlobals<O & Common>()
    const printer = createPrinter(parsed.json ?? false)
    try {
      const { run } = await load()
      process.exitCode = await run({
        options: parsed,
        printer,
        args: self.processedArgs.flat().filter((arg): arg is string => typeof arg === 'string'),
      })
    } catch (error) {
      const { code, reason, text, message } = failureText(error)
      printer.json({ error: { reason, message } })
      printer.note(text)
      process.exitCode = code
    }
  })
}

/** @throws InvalidArgumentError, which ends the command with its usage */
export function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a number from 1.')
}

export const streams = new Option('--stream <name...>', 'only these streams')
export const oneStream = new Option('--stream <name>', 'the stream').makeOptionMandatory()
export const yes = new Option('--yes', 'do not ask')
