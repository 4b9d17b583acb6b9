import { type Command, Option } from 'commander'
import { command, count, oneStream, streams } from './command.js'

/** What runs now, ran before, and is told of it. */
export function declareRuns(program: Command): void {
  command(
    program,
    'sync [name...]',
    'run syncs now and wait for their end',
    'weir sync klaviyo --stream profiles',
    () => import('../commands/sync.js'),
    [
      streams,
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
    () => import('../commands/backfill.js'),
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
    async () => ({ run: (await import('../commands/backfills.js')).list }),
    [new Option('--limit <n>', 'how many').default(20).argParser(count)],
  )
  const ofBackfill = (name: 'show' | 'pause' | 'resume' | 'cancel', description: string, options: Option[] = []) =>
    command(
      backfill,
      `${name} <id>`,
      description,
      `weir backfill ${name} 2024-01-01_2026-01-01_3f9c`,
      async () => ({ run: (await import('../commands/backfills.js')).commands[name] }),
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
    () => import('../commands/rebuild.js'),
    [oneStream, new Option('--dry-run', 'count what would change, and change nothing')],
  )
  command(program, 'status', 'how every sync and audience stands', 'weir status', () => import('../commands/status.js'))
  const runs = command(
    program,
    'runs [name]',
    'the newest runs',
    'weir runs klaviyo --limit 5',
    async () => ({ run: (await import('../commands/runs.js')).list }),
    [new Option('--limit <n>', 'how many').default(10).argParser(count)],
  )
  command(
    runs,
    'show <run>',
    'all of one run: counts, requests, waits, changes, checks, failures; of a sync its newest run',
    'weir runs show klaviyo',
    async () => ({ run: (await import('../commands/runs.js')).show }),
  )
  command(
    program,
    'logs <run>',
    'what happened in a run in the order of time; of a sync its newest run',
    'weir logs klaviyo',
    () => import('../commands/logs.js'),
  )
  command(
    program,
    'cancel <run>',
    'stop a run, or what runs of a sync; what is loaded stays',
    'weir cancel klaviyo',
    () => import('../commands/cancel.js'),
  )
  const alerts = program.command('alerts').description('what people should know: what is open, whom it was told, whether they are reached')
  command(
    alerts,
    'list [sync]',
    'what is open, and messages that could not be delivered; `weir alerts` alone does the same',
    'weir alerts --all',
    async () => ({ run: (await import('../commands/alerts.js')).list }),
    [new Option('--all', 'with what is over, and all messages'), new Option('--limit <n>', 'how many').default(50).argParser(count)],
    { isDefault: true },
  )
  command(
    alerts,
    'test [target]',
    'send a test message now, through the worker, and say what came back; to all targets, or those like the word',
    'weir alerts test slack',
    async () => ({ run: (await import('../commands/alerts.js')).test }),
  )
}
