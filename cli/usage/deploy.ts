import { type Command, Option } from 'commander'
import { command, yes } from './command.js'

/** What is in force, and what is paused. */
export function declareDeploy(program: Command): void {
  const prune = new Option('--prune', 'remove what the project file has no more, instead of pausing it')
  command(
    program,
    'plan',
    'what apply would change, and what follows from it',
    'weir plan --out friday.plan',
    () => import('../commands/plan.js'),
    [prune, new Option('--out <file>', 'keep the plan, for `weir apply FILE`')],
  )
  command(
    program,
    'apply [plan]',
    'put the project file, or a kept plan, in force: schedules, definitions, modes',
    'weir apply --yes',
    () => import('../commands/apply.js'),
    [
      yes,
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
    () => import('../commands/pause.js'),
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
    () => import('../commands/resume.js'),
    [new Option('--by <name>', 'who resumes (default: the user of this machine)')],
  )
}
