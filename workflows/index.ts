export { askConnection } from './ask-connection.js'
export { replayDeadLetters } from './replay-dead-letters.js'
export { syncConnection } from './sync-connection.js'
export { syncStream } from './sync-stream.js'
