import { type Command, Option } from 'commander'
import { command, count, oneStream, streams } from './command.js'

/** A project: written, checked, connected, looked at. */
export function declareSetup(program: Command): void {
  command(
    program,
    'init [folder]',
    'write a project to start from; at a terminal it asks what is to stand in it',
    'weir init my-project --vendor klaviyo',
    () => import('../commands/init.js'),
    [
      new Option('--vendor <type...>', 'vendors to connect, instead of being asked (elsewhere than at a terminal: klaviyo)'),
      new Option('--sandbox', 'point the connections at the local sandbox'),
    ],
  )
  command(
    program,
    'validate',
    'check the project file, offline: all errors at once',
    'weir validate',
    () => import('../commands/validate.js'),
  )
  command(
    program,
    'explain <sync>',
    'every setting of a sync, and which line of which file it comes from',
    'weir explain sync/klaviyo --stream profiles',
    () => import('../commands/explain.js'),
    [streams],
  )
  command(
    program,
    'doctor',
    'is everything set up? What is not, and what to do about it',
    'weir doctor',
    () => import('../commands/doctor.js'),
  )
  command(
    program,
    'check [name...]',
    'ask vendors and warehouse of connections, and of audience/NAME its destinations: access, scopes, targets, mappings, rights',
    'weir check klaviyo audience/high_value',
    () => import('../commands/check.js'),
  )
  command(
    program,
    'connect <connection>',
    'get a refresh token (or access token) by the vendor’s consent page, and keep it',
    'weir connect google_ads',
    () => import('../commands/connect.js'),
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
    () => import('../commands/discover.js'),
    [new Option('--stream <name>', 'only this stream')],
  )
  command(
    program,
    'preview <connection>',
    'the first records of a stream, written nowhere',
    'weir preview klaviyo --stream profiles --limit 5',
    () => import('../commands/preview.js'),
    [oneStream, new Option('--limit <n>', 'how many records').default(20).argParser(count)],
  )
  command(
    program,
    'catalog [vendor]',
    'what can be read of each vendor: streams, keys, modes, budgets, API versions',
    'weir catalog klaviyo',
    () => import('../commands/catalog.js'),
  )
  command(
    program,
    'schema',
    'print the JSON Schema of the project file, for editors',
    'weir schema > weir.schema.json',
    () => import('../commands/schema.js'),
  )
}
