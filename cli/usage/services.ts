import { type Command, Option } from 'commander'
import { command, count } from './command.js'

/** What runs until it is stopped. */
export function declareServices(program: Command): void {
  command(
    program,
    'dev',
    'PostgreSQL, Temporal with its UI and a worker, here, until Ctrl-C',
    'weir dev',
    () => import('../commands/dev.js'),
  )
  command(
    program,
    'sandbox',
    'local stand-ins of the vendors, until Ctrl-C',
    'weir sandbox --people 5000',
    () => import('../commands/sandbox.js'),
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
    () => import('../commands/codec.js'),
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
    () => import('../commands/worker.js'),
  )
  command(
    program,
    'demo',
    'the whole product on this machine, with the sandbox as its vendors',
    'weir demo',
    () => import('../commands/demo.js'),
  )
}
