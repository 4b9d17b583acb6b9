export { askConnection } from './ask-connection.js'
export { rebuildTable } from './rebuild-table.js'
export { syncConnection } from './sync-connection.js'
export { syncStream } from './sync-stream.js'
