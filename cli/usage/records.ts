import { type Command, Option } from 'commander'
import { letterOptions, statusOption } from '../letter-filter.js'
import { command, count, yes } from './command.js'

/** What waits for people: schema changes and dead letters. */
export function declareRecords(program: Command): void {
  const changes = program.command('changes').description('schema changes: what happened to tables, and what waits for a decision')
  command(
    changes,
    'list [name]',
    'the newest of them',
    'weir changes list klaviyo --status pending',
    async () => ({ run: (await import('../commands/changes.js')).list }),
    [
      new Option('--stream <name>', 'only this stream'),
      new Option('--status <status...>', 'only these').choices(['applied', 'noted', 'captured', 'pending', 'approved', 'rejected']),
      new Option('--limit <n>', 'how many').default(50).argParser(count),
    ],
  )
  command(changes, 'show <id...>', 'all that is known of a change, and how many rows wait', 'weir changes show 12', async () => ({
    run: (await import('../commands/changes.js')).show,
  }))
  const by = new Option('--by <name>', 'who decides (default: the user of this machine)')
  command(
    changes,
    'approve <id...>',
    'add the column and fill it from _weir_extra',
    'weir changes approve 12',
    async () => ({ run: (await import('../commands/changes.js')).approve }),
    [by],
  )
  command(
    changes,
    'reject <id...>',
    'keep the field in _weir_extra from now on',
    'weir changes reject 12',
    async () => ({ run: (await import('../commands/changes.js')).reject }),
    [by],
  )
  const dlq = program.command('dlq').description('dead letters: what could not be loaded, and why')
  const act = () => [...letterOptions(), new Option('--all', 'every open one'), new Option('--dry-run', 'only list what would happen'), yes]
  command(
    dlq,
    'list [sync]',
    'list them, the one met last first; never what they hold',
    'weir dlq list klaviyo --stream profiles --since 7d',
    async () => ({ run: (await import('../commands/dlq.js')).list }),
    [...letterOptions(), statusOption(), new Option('--limit <n>', 'how many').default(50).argParser(count)],
  )
  command(
    dlq,
    'show <id>',
    'everything about one, what it holds masked',
    'weir dlq show 17',
    async () => ({ run: (await import('../commands/dlq.js')).show }),
    [new Option('--reveal', 'show what it holds in clear: personal data may appear')],
  )
  command(
    dlq,
    'replay [sync]',
    'load open ones again, by the project file as it stands',
    'weir dlq replay klaviyo --stream profiles --yes',
    async () => ({ run: (await import('../commands/dlq-replay.js')).replay }),
    [...act(), new Option('--limit <n>', 'at most so many').argParser(count)],
  )
  command(
    dlq,
    'discard [sync]',
    'close open ones without loading them',
    'weir dlq discard klaviyo --id 17 --yes',
    async () => ({ run: (await import('../commands/dlq.js')).discard }),
    act(),
  )
}
