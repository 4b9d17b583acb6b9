export { applyChange } from './apply-change.js'
export { askConnection } from './ask-connection.js'
export { syncConnection } from './sync-connection.js'
export { syncStream } from './sync-stream.js'
