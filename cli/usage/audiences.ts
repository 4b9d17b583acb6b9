import { type Command, Option } from 'commander'
import { memberStates } from '../../src/core/audience.js'
import { auditEvents } from '../../src/warehouse/contract/audit.js'
import { command, count, yes } from './command.js'

/** People who go out, who is erased, and who did what. */
export function declareAudiences(program: Command): void {
  const audience = program.command('audience').description('people who go out: what a push would do, pushes, decisions, who is held')
  const audiences = async () => import('../commands/audience.js')
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
    async () => ({ run: (await import('../commands/audience-members.js')).members }),
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
    () => import('../commands/audience-diff.js'),
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
    async () => ({ run: (await import('../commands/audience-members.js')).retry }),
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
    async () => ({ run: (await import('../commands/erase.js')).run }),
    [
      new Option('--file <file>', 'a file that names them, one a line: e-mail address, phone number or key'),
      new Option('--kind <kind>', 'what the lines are (default: as they look)').choices(['email', 'phone', 'key']),
      new Option('--model <name>', 'the model whose key it is'),
      new Option('--country <code>', 'of phone numbers without one, such as DE'),
      new Option('--push', 'push the audiences that hold them now, instead of at their next push'),
      new Option('--dry-run', 'only say what would be erased'),
      yes,
      asker,
    ],
    { isDefault: true },
  )
  command(
    erase,
    'list',
    'erasures, and which destinations still hold the person',
    'weir erase list',
    async () => ({ run: (await import('../commands/erase.js')).list }),
    [new Option('--limit <n>', 'how many').default(50).argParser(count)],
  )
  const audit = program.command('audit').description('who asked, decided and did what: a log that shows where it was altered')
  command(
    audit,
    'list',
    'the newest of it; never a member',
    'weir audit list --audience high_value',
    async () => ({ run: (await import('../commands/audit.js')).list }),
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
    async () => ({ run: (await import('../commands/audit.js')).verify }),
    [new Option('--head <row:hash>', 'its end as it was printed before: shows what was cut off or rewritten since')],
  )
}
