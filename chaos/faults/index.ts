import { commitLost } from './commit-lost.js'
import { cuts, delays } from './connection.js'
import { diskFull } from './disk-full.js'
import type { Fault } from './fault.js'
import { lock } from './lock.js'
import { backendEnd, postgresKill } from './postgres.js'
import { refusedCommits } from './refused-commit.js'
import { temporalKill } from './temporal-kill.js'
import { vendorFaults } from './vendor.js'
import { workerKill } from './worker-kill.js'
import { workerStop } from './worker-stop.js'

/** Every kind of fault. */
export const faults: readonly Fault[] = [
  workerKill,
  workerStop,
  postgresKill,
  backendEnd,
  temporalKill,
  ...cuts,
  ...delays,
  commitLost,
  ...refusedCommits,
  lock,
  diskFull,
  ...vendorFaults,
]
