/** Lists of words that several queries name, as SQL: the compiler holds them to the words of the code. */
import type { RunKind, RunStatus } from '../../core/activities.js'
import type { ChangeStatus, QualityResult, SliceState } from '../driver.js'
import { literal } from './sql.js'

const oneOf = <W extends string>(...words: readonly W[]): string => `(${words.map(literal).join(', ')})`

/** Runs of a sync itself. Backfills read ranges beside it, replays load what it left: neither says how it stands. */
export const ofSync = oneOf<RunKind>('scheduled', 'manual', 'dependent')
export const completed = oneOf<RunStatus>('completed', 'completed_with_dead_letters')
/** Of slices: those that a run gave up. */
export const givenUp = oneOf<SliceState>('dead_letter', 'refused')
/** Of changes of a table's shape: those that a person may still decide, the other way too. */
export const decidable = oneOf<ChangeStatus>('captured', 'pending', 'rejected')
/** Of checks: those that did not pass. */
export const notPassed = oneOf<QualityResult['status']>('fail', 'error')
