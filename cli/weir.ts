import { Command, InvalidArgumentError, Option } from 'commander'
import { memberStates } from '../src/core/audience.js'
import { auditEvents } from '../src/warehouse/contract/audit.js'
import { exit, failureText } from './exit.js'
import { letterOptions, statusOption } from './letter-filter.js'
import { createPrinter, type Printer } from './print.js'

/** Options that every command takes. */
export interface Common {
  json?: boolean
  config?: string
  env?: string
}

/** What a command's action gets: its options, the printer, and its positional arguments. It answers with an exit code. */
type Action<O> = (context: { options: O & Common; printer: Printer; args: string[] }) => Promise<number>
type Load<O> = () => Promise<{ run: Action<O> }>

const program = new Command('weir')
  .description('Marketing data into your warehouse, without losing or doubling a row.')
  .version('0.1.0')
  .configureHelp({ sortSubcommands: false })
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    '\nExit codes: 0 done · 1 failed (a stream or more) · 2 usage or configuration · 3 done with dead letters\nDocs: docs/quickstart.md, docs/reference/cli.md',
  )

/** One command: its words, an example, and where its code is; that is loaded only when it runs. */
function command<O>(
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
function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a number from 1.')
}

const stream = new Option('--stream <name...>', 'only these streams')
const one = new Option('--stream <name>', 'the stream').makeOptionMandatory()

command(
  program,
  'init [folder]',
  'write a project to start from; at a terminal it asks what is to stand in it',
  'weir init my-project --vendor klaviyo',
  () => import('./commands/init.js'),
  [
    new Option('--vendor <type...>', 'vendors to connect, instead of being asked (elsewhere than at a terminal: klaviyo)'),
    new Option('--sandbox', 'point the connections at the local sandbox'),
  ],
)
command(program, 'validate', 'check the project file, offline: all errors at once', 'weir validate', () => import('./commands/validate.js'))
command(
  program,
  'explain <sync>',
  'every setting of a sync, and which line of which file it comes from',
  'weir explain sync/klaviyo --stream profiles',
  () => import('./commands/explain.js'),
  [stream],
)
command(
  program,
  'doctor',
  'is everything set up? What is not, and what to do about it',
  'weir doctor',
  () => import('./commands/doctor.js'),
)
command(
  program,
  'check [name...]',
  'ask vendors and warehouse of connections, and of audience/NAME its destinations: access, scopes, targets, mappings, rights',
  'weir check klaviyo audience/high_value',
  () => import('./commands/check.js'),
)
command(
  program,
  'connect <connection>',
  'get a refresh token (or access token) by the vendor’s consent page, and keep it',
  'weir connect google_ads',
  () => import('./commands/connect.js'),
  [
    new Option('--no-browser', 'only print the address; paste what the browser on another machine was sent to'),
    new Option('--print', 'print the line for .env instead of keeping the token'),
    new Option(
      '--port <n>',
      'where the browser comes back to on this machine (default: 18795, or any for vendors that take any)',
    ).argParser(count),
    new Option('--redirect <address>', 'another redirect address, such as one with https; paste what the browser was sent to'),
    new Option('--wait <seconds>', 'how long to wait for the person').default(600).argParser(count),
  ],
)
command(
  program,
  'discover <connection>',
  'streams and fields that a connection has now',
  'weir discover hubspot --stream contacts',
  () => import('./commands/discover.js'),
  [new Option('--stream <name>', 'only this stream')],
)
command(
  program,
  'preview <connection>',
  'the first records of a stream, written nowhere',
  'weir preview klaviyo --stream profiles --limit 5',
  () => import('./commands/preview.js'),
  [one, new Option('--limit <n>', 'how many records').default(20).argParser(count)],
)
command(
  program,
  'catalog [vendor]',
  'what can be read of each vendor: streams, keys, modes, budgets, API versions',
  'weir catalog klaviyo',
  () => import('./commands/catalog.js'),
)
command(
  program,
  'schema',
  'print the JSON Schema of the project file, for editors',
  'weir schema > weir.schema.json',
  () => import('./commands/schema.js'),
)
command(
  program,
  'sync [name...]',
  'run syncs now and wait for their end',
  'weir sync klaviyo --stream profiles',
  () => import('./commands/sync.js'),
  [
    stream,
    new Option('--full', 'forget the watermarks and read everything again'),
    new Option('--detach', 'print the run and return at once'),
    new Option('--accept <what...>', 'agree to this, for this run: a switch of mode, or a snapshot that is much smaller').choices([
      'mode',
      'shrink',
    ]),
  ],
)
const backfill = program.command('backfill').description('read a range of streams beside the live sync')
command(
  backfill,
  'start <name>',
  'read this range; `start` may be left out',
  'weir backfill klaviyo --from 2024-01-01 --to 2026-01-01 --stream events',
  () => import('./commands/backfill.js'),
  [
    new Option('--from <date>', 'its first day, or instant (UTC)').makeOptionMandatory(),
    new Option('--to <date>', 'the day or instant that it ends before (UTC)').makeOptionMandatory(),
    new Option('--stream <name...>', 'only these streams (default: all that take a range)'),
    new Option('--slice <days>', 'length of a slice, such as 7d (default: as the stream says)'),
    new Option('--parallel <n>', 'slices read at once, over all workers (default: 4)').argParser(count),
    new Option('--follow', 'wait for its end and show the way there (default)'),
    new Option('--detach', 'print its id and return at once').conflicts('follow'),
  ],
  { isDefault: true },
)
command(
  backfill,
  'list [name]',
  'the newest ones, and how far they are',
  'weir backfill list klaviyo',
  async () => ({ run: (await import('./commands/backfills.js')).list }),
  [new Option('--limit <n>', 'how many').default(20).argParser(count)],
)
const ofBackfill = (name: 'show' | 'pause' | 'resume' | 'cancel', description: string, options: Option[] = []) =>
  command(
    backfill,
    `${name} <id>`,
    description,
    `weir backfill ${name} 2024-01-01_2026-01-01_3f9c`,
    async () => ({ run: (await import('./commands/backfills.js')).commands[name] }),
    options,
  )
ofBackfill('show', 'how far it is, stream by stream')
ofBackfill('pause', 'begin no further slice until it is resumed')
ofBackfill('resume', 'go on with one that is paused, failed or was cancelled: what is done is not read again', [
  new Option('--detach', 'return at once'),
])
ofBackfill('cancel', 'end it; what is loaded stays')
command(
  program,
  'rebuild <name>',
  'type a table anew from its raw records, without the vendor',
  'weir rebuild klaviyo --stream profiles --dry-run',
  () => import('./commands/rebuild.js'),
  [one, new Option('--dry-run', 'count what would change, and change nothing')],
)
command(program, 'status', 'how every sync and audience stands', 'weir status', () => import('./commands/status.js'))
const runs = command(
  program,
  'runs [name]',
  'the newest runs',
  'weir runs klaviyo --limit 5',
  async () => ({ run: (await import('./commands/runs.js')).list }),
  [new Option('--limit <n>', 'how many').default(10).argParser(count)],
)
command(
  runs,
  'show <run>',
  'all of one run: counts, requests, waits, changes, checks, failures; of a sync its newest run',
  'weir runs show klaviyo',
  async () => ({ run: (await import('./commands/runs.js')).show }),
)
command(
  program,
  'logs <run>',
  'what happened in a run in the order of time; of a sync its newest run',
  'weir logs klaviyo',
  () => import('./commands/logs.js'),
)
command(
  program,
  'cancel <run>',
  'stop a run, or what runs of a sync; what is loaded stays',
  'weir cancel klaviyo',
  () => import('./commands/cancel.js'),
)
const alerts = program.command('alerts').description('what people should know: what is open, whom it was told, whether they are reached')
command(
  alerts,
  'list [sync]',
  'what is open, and messages that could not be delivered; `weir alerts` alone does the same',
  'weir alerts --all',
  async () => ({ run: (await import('./commands/alerts.js')).list }),
  [new Option('--all', 'with what is over, and all messages'), new Option('--limit <n>', 'how many').default(50).argParser(count)],
  { isDefault: true },
)
command(
  alerts,
  'test [target]',
  'send a test message now, through the worker, and say what came back; to all targets, or those like the word',
  'weir alerts test slack',
  async () => ({ run: (await import('./commands/alerts.js')).test }),
)
const prune = new Option('--prune', 'remove what the project file has no more, instead of pausing it')
command(
  program,
  'plan',
  'what apply would change, and what follows from it',
  'weir plan --out friday.plan',
  () => import('./commands/plan.js'),
  [prune, new Option('--out <file>', 'keep the plan, for `weir apply FILE`')],
)
command(
  program,
  'apply [plan]',
  'put the project file, or a kept plan, in force: schedules, definitions, modes',
  'weir apply --yes',
  () => import('./commands/apply.js'),
  [
    new Option('--yes', 'do not ask'),
    prune,
    new Option('--allow <what...>', 'agree to what a plan says it needs').choices(['mode', 'project', 'environment', 'warehouse']),
    new Option('--by <name>', 'who applies (default: the user of this machine)'),
  ],
)
command(
  program,
  'pause <name>',
  'stop starting a sync, and pause its runs that are under way, or stop pushing audience/NAME, until weir resume',
  'weir pause klaviyo --reason "the vendor is down"',
  () => import('./commands/pause.js'),
  [
    new Option('--reason <text>', 'why: it stands beside the schedule').makeOptionMandatory(),
    new Option('--by <name>', 'who pauses (default: the user of this machine)'),
  ],
)
command(
  program,
  'resume <name>',
  'let a paused sync, and its paused runs, or a paused audience/NAME go on',
  'weir resume klaviyo',
  () => import('./commands/resume.js'),
  [new Option('--by <name>', 'who resumes (default: the user of this machine)')],
)
const state = program.command('state').description('watermarks and checkpoints of a sync')
const ofStream = new Option('--stream <name>', 'only this stream')
const yes = new Option('--yes', 'do not ask')
const dryRun = new Option('--dry-run', 'say what would change, and change nothing')
const force = new Option('--force', 'even while a run is under way: what it holds can no longer commit')
command(
  state,
  'show <name>',
  'show them, or what moved them',
  'weir state show klaviyo --history --limit 50',
  async () => ({ run: (await import('./commands/state.js')).show }),
  [
    ofStream,
    new Option('--history', 'each change: by which run or by whom, from where to where'),
    new Option('--limit <n>', 'how many entries of the history').default(20).argParser(count),
  ],
)
command(
  state,
  'diff <name>',
  'what changed since the end of a run, or between two',
  'weir state diff klaviyo --from-run RUN',
  () => import('./commands/state-diff.js'),
  [
    ofStream,
    new Option('--from-run <run>', 'the state after this run').makeOptionMandatory(),
    new Option('--to-run <run>', 'the state after that one (default: now)'),
  ],
)
command(
  state,
  'reset <name>',
  'forget them: the next run reads everything',
  'weir state reset klaviyo --stream events --yes',
  async () => ({ run: (await import('./commands/state.js')).reset }),
  [ofStream, yes, force],
)
command(
  state,
  'export <name>',
  'write them as JSON: to keep, to move, to edit',
  'weir state export klaviyo --file klaviyo-state.json',
  () => import('./commands/state-export.js'),
  [ofStream, new Option('--file <file>', 'where to (default: standard output)')],
)
command(
  state,
  'import <name>',
  'put an exported file in place of what stands',
  'weir state import klaviyo --file klaviyo-state.json --dry-run',
  () => import('./commands/state-import.js'),
  [
    new Option('--file <file>', 'what weir state export wrote').makeOptionMandatory(),
    ofStream,
    new Option('--as <sync>', 'the sync that it is put into, when that is another than <name>'),
    dryRun,
    yes,
    force,
  ],
)
command(
  state,
  'rollback <name>',
  'go back to the state after a run: what came later is read again, rows stay',
  'weir state rollback klaviyo --to-run RUN --dry-run',
  () => import('./commands/state-rollback.js'),
  [new Option('--to-run <run>', 'a run of weir state show --history').makeOptionMandatory(), ofStream, dryRun, yes, force],
)
const changes = program.command('changes').description('schema changes: what happened to tables, and what waits for a decision')
command(
  changes,
  'list [name]',
  'the newest of them',
  'weir changes list klaviyo --status pending',
  async () => ({ run: (await import('./commands/changes.js')).list }),
  [
    new Option('--stream <name>', 'only this stream'),
    new Option('--status <status...>', 'only these').choices(['applied', 'noted', 'captured', 'pending', 'approved', 'rejected']),
    new Option('--limit <n>', 'how many').default(50).argParser(count),
  ],
)
command(changes, 'show <id...>', 'all that is known of a change, and how many rows wait', 'weir changes show 12', async () => ({
  run: (await import('./commands/changes.js')).show,
}))
const by = new Option('--by <name>', 'who decides (default: the user of this machine)')
command(
  changes,
  'approve <id...>',
  'add the column and fill it from _weir_extra',
  'weir changes approve 12',
  async () => ({ run: (await import('./commands/changes.js')).approve }),
  [by],
)
command(
  changes,
  'reject <id...>',
  'keep the field in _weir_extra from now on',
  'weir changes reject 12',
  async () => ({ run: (await import('./commands/changes.js')).reject }),
  [by],
)
const dlq = program.command('dlq').description('dead letters: what could not be loaded, and why')
const act = () => [
  ...letterOptions(),
  new Option('--all', 'every open one'),
  new Option('--dry-run', 'only list what would happen'),
  new Option('--yes', 'do not ask'),
]
command(
  dlq,
  'list [sync]',
  'list them, the one met last first; never what they hold',
  'weir dlq list klaviyo --stream profiles --since 7d',
  async () => ({ run: (await import('./commands/dlq.js')).list }),
  [...letterOptions(), statusOption(), new Option('--limit <n>', 'how many').default(50).argParser(count)],
)
command(
  dlq,
  'show <id>',
  'everything about one, what it holds masked',
  'weir dlq show 17',
  async () => ({ run: (await import('./commands/dlq.js')).show }),
  [new Option('--reveal', 'show what it holds in clear: personal data may appear')],
)
command(
  dlq,
  'replay [sync]',
  'load open ones again, by the project file as it stands',
  'weir dlq replay klaviyo --stream profiles --yes',
  async () => ({ run: (await import('./commands/dlq-replay.js')).replay }),
  [...act(), new Option('--limit <n>', 'at most so many').argParser(count)],
)
command(
  dlq,
  'discard [sync]',
  'close open ones without loading them',
  'weir dlq discard klaviyo --id 17 --yes',
  async () => ({ run: (await import('./commands/dlq.js')).discard }),
  act(),
)
const audience = program.command('audience').description('people who go out: what a push would do, pushes, decisions, who is held')
const audiences = async () => import('./commands/audience.js')
const asker = new Option('--by <name>', 'who asks or decides (default: the user of this machine)')
const changeSet = new Option('--change-set <hash>', 'the change set that is decided, its beginning at least').makeOptionMandatory()
command(audience, 'preview <name>', 'what a push would do; nothing is sent', 'weir audience preview high_value', async () => ({
  run: (await audiences()).preview,
}))
command(
  audience,
  'push <name>',
  'bring its destinations to what the model says',
  'weir audience push high_value',
  async () => ({ run: (await audiences()).push }),
  [asker, new Option('--detach', 'print the push and return at once')],
)
command(
  audience,
  'approve <name>',
  'let a push that waits go',
  'weir audience approve high_value --change-set 1f2e3d4c5b6a --by ana',
  async () => ({ run: (await audiences()).approve }),
  [changeSet, asker],
)
command(
  audience,
  'reject <name>',
  'end a push that waits',
  'weir audience reject high_value --change-set 1f2e3d4c5b6a --by ana',
  async () => ({ run: (await audiences()).reject }),
  [changeSet, asker],
)
command(audience, 'runs [name]', 'the newest pushes', 'weir audience runs high_value', async () => ({ run: (await audiences()).runs }), [
  new Option('--limit <n>', 'how many').default(10).argParser(count),
])
command(
  audience,
  'members <name>',
  'who is held and how each stands; never an address',
  'weir audience members high_value --state dead',
  async () => ({ run: (await import('./commands/audience-members.js')).members }),
  [
    new Option('--destination <name>', 'only this one'),
    new Option('--state <state...>', 'only these; dead: tried no more').choices(memberStates),
    new Option('--key <key>', 'only this person, by the key of the model'),
    new Option('--limit <n>', 'how many').default(50).argParser(count),
  ],
)
command(
  audience,
  'diff <name>',
  'who joined, left and changed between two pushes; never an address',
  'weir audience diff high_value',
  () => import('./commands/audience-diff.js'),
  [
    new Option('--from-run <run>', 'from the end of this push (default: the one before)'),
    new Option('--to-run <run>', 'to the end of that one (default: the newest that ended)'),
    new Option('--destination <name>', 'only this one'),
    new Option('--limit <n>', 'how many members are listed').default(50).argParser(count),
  ],
)
command(
  audience,
  'retry <name>',
  'let the next push try dead members again, and those who had no identifier',
  'weir audience retry high_value --destination mail --dry-run',
  async () => ({ run: (await import('./commands/audience-members.js')).retry }),
  [
    new Option('--destination <name>', 'only of this one'),
    new Option('--reason <reason>', 'only with this reason, as members --json shows it'),
    new Option('--dry-run', 'only count them'),
    asker,
  ],
)
const erase = program.command('erase').description('people who ask to be erased: from what Weir holds, and from every destination')
command(
  erase,
  'start',
  'erase whom standard input, a file or the prompt names; `start` may be left out',
  'weir erase --push',
  async () => ({ run: (await import('./commands/erase.js')).run }),
  [
    new Option('--file <file>', 'a file that names them, one a line: e-mail address, phone number or key'),
    new Option('--kind <kind>', 'what the lines are (default: as they look)').choices(['email', 'phone', 'key']),
    new Option('--model <name>', 'the model whose key it is'),
    new Option('--country <code>', 'of phone numbers without one, such as DE'),
    new Option('--push', 'push the audiences that hold them now, instead of at their next push'),
    new Option('--dry-run', 'only say what would be erased'),
    new Option('--yes', 'do not ask'),
    asker,
  ],
  { isDefault: true },
)
command(
  erase,
  'list',
  'erasures, and which destinations still hold the person',
  'weir erase list',
  async () => ({ run: (await import('./commands/erase.js')).list }),
  [new Option('--limit <n>', 'how many').default(50).argParser(count)],
)
const audit = program.command('audit').description('who asked, decided and did what: a log that shows where it was altered')
command(
  audit,
  'list',
  'the newest of it; never a member',
  'weir audit list --audience high_value',
  async () => ({ run: (await import('./commands/audit.js')).list }),
  [
    new Option('--audience <name>', 'only of this audience'),
    new Option('--event <event>', 'only of this kind').choices(auditEvents),
    new Option('--limit <n>', 'how many').default(50).argParser(count),
  ],
)
command(
  audit,
  'verify',
  'is it whole? Ends with 1, and says which row, where it is not',
  'weir audit verify',
  async () => ({ run: (await import('./commands/audit.js')).verify }),
  [new Option('--head <row:hash>', 'its end as it was printed before: shows what was cut off or rewritten since')],
)
command(program, 'dev', 'PostgreSQL, Temporal with its UI and a worker, here, until Ctrl-C', 'weir dev', () => import('./commands/dev.js'))
command(
  program,
  'sandbox',
  'local stand-ins of the vendors, until Ctrl-C',
  'weir sandbox --people 5000',
  () => import('./commands/sandbox.js'),
  [
    new Option('--port <n>', 'where').default(18790).argParser(Number),
    new Option('--people <n>', 'how many people the company knows').default(5000).argParser(Number),
    new Option('--seed <n>', 'another seed, another company').default(1).argParser(Number),
  ],
)
command(
  program,
  'codec',
  'decrypt what Temporal keeps, for its UI on this machine',
  'weir codec --ui http://localhost:8233',
  () => import('./commands/codec.js'),
  [
    new Option('--port <n>', 'where to listen, on loopback').default(8234).argParser(count),
    new Option('--ui <origin>', 'the address of the Temporal UI, which alone may ask').default('http://localhost:8233'),
  ],
)
command(
  program,
  'worker',
  'a production worker: TEMPORAL_ADDRESS and WAREHOUSE_URL say where',
  'TEMPORAL_ADDRESS=… WAREHOUSE_URL=… weir worker',
  () => import('./commands/worker.js'),
)
command(
  program,
  'demo',
  'the whole product on this machine, with the sandbox as its vendors',
  'weir demo',
  () => import('./commands/demo.js'),
)

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
