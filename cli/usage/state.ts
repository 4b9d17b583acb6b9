import { type Command, Option } from 'commander'
import { command, count, yes } from './command.js'

/** How far syncs have read. */
export function declareState(program: Command): void {
  const state = program.command('state').description('watermarks and checkpoints of a sync')
  const dryRun = new Option('--dry-run', 'say what would change, and change nothing')
  const ofStream = new Option('--stream <name>', 'only this stream')
  const force = new Option('--force', 'even while a run is under way: what it holds can no longer commit')
  command(
    state,
    'show <name>',
    'show them, or what moved them',
    'weir state show klaviyo --history --limit 50',
    async () => ({ run: (await import('../commands/state.js')).show }),
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
    () => import('../commands/state-diff.js'),
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
    async () => ({ run: (await import('../commands/state.js')).reset }),
    [ofStream, yes, force],
  )
  command(
    state,
    'export <name>',
    'write them as JSON: to keep, to move, to edit',
    'weir state export klaviyo --file klaviyo-state.json',
    () => import('../commands/state-export.js'),
    [ofStream, new Option('--file <file>', 'where to (default: standard output)')],
  )
  command(
    state,
    'import <name>',
    'put an exported file in place of what stands',
    'weir state import klaviyo --file klaviyo-state.json --dry-run',
    () => import('../commands/state-import.js'),
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
    () => import('../commands/state-rollback.js'),
    [new Option('--to-run <run>', 'a run of weir state show --history').makeOptionMandatory(), ofStream, dryRun, yes, force],
  )
}
