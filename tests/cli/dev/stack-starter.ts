/** A process that starts a stack in the folder it is given, says when it is ready, and waits to be killed. */
import { startStack } from '../../../cli/dev/stack.js'
import { searchAttributes } from '../../../src/core/search-attributes.js'

const [projectDir = '', port = ''] = process.argv.slice(2)
const first = Number(port)
const worker = { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1e6)'] }
await startStack({
  projectDir,
  worker,
  searchAttributes,
  log: () => {},
  ports: { postgres: first, temporal: first + 300, temporalUi: first + 600 },
})
console.log('ready')
