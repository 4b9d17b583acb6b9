import { asFailure, Failure, type Reason } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { classify } from '../../src/http/classify.js'
import { meta, path } from './api.js'

/** A report is a job at Meta: submitted, polled, read. Its id stands in the checkpoint before it is polled, so a crash finds it again. */

const second = 1_000
const minute = 60 * second
/** Waits between polls while a worker stays with a job; after them the workflow waits, which takes none. */
const waits = [0, 2, 4, 8, 15, 30, 30].map((seconds) => seconds * second)
const longWaitMs = 90 * second
/** A job that takes longer is given up: Meta says up to an hour. */
const longestMs = 60 * minute
/** Reasons of a failed job that need not meet the next one. */
const mayBeOfTheJob: ReadonlySet<Reason> = new Set<Reason>(['transient', 'throttled', 'permanent'])
/** Polls that may not find a job which was just submitted. */
const misses = 4

const asked = [
  'async_status',
  'async_percent_completion',
  'error_code',
  'error_subcode',
  'error_message',
  'error_user_title',
  'error_user_msg',
  'time_ref',
]

/** @throws Failure where the report cannot be had like this: too large, or not allowed */
export async function submit(http: Http, account: string, report: Rec): Promise<string> {
  const { body } = await http.request({ method: 'POST', path: path(http, `act_${account}/insights`), body: report, payer: account })
  const id = body.report_run_id
  if (id === undefined || id === null) throw new Failure('transient', 'Meta took a report and gave no id of its job.')
  return String(id)
}

export type JobEnd = { isDone: true } | { isDone: false; why: string }

/**
 * Waits until a job's rows can be read, or until it is clear that they never will: it failed, expired, or takes too long.
 * @param isFresh submitted by this attempt, which then stays with it for a while
 * @throws Failure `throttled` with the instant of the next look, and what the job failed of where submitting it again is useless
 */
export async function finished(http: Http, account: string, id: string, isFresh: boolean): Promise<JobEnd> {
  let missed = 0
  for (let poll = 0; ; poll++) {
    const afterMs = waits[isFresh || poll === 0 ? poll : waits.length] ?? longWaitMs
    try {
      const answer = await http.request({ path: path(http, id), query: { fields: asked.join(',') }, payer: account, afterMs })
      const end = endOf(answer.body, Date.parse(answer.headers.date ?? ''))
      if (end) return end
    } catch (error) {
      // A job may not be found at first; one that is more than thirty days old is forgotten.
      if (asFailure(error).where.code !== '100/33') throw error
      if (++missed >= misses) return { isDone: false, why: 'Meta knows the job no more' }
    }
  }
}

function endOf(job: Rec, now: number): JobEnd | undefined {
  switch (job.async_status) {
    case 'Job Completed':
      // The status may come before the rows.
      return Number(job.async_percent_completion) >= 100 ? { isDone: true } : undefined
    case 'Job Skipped':
      return { isDone: false, why: 'the job expired' }
    case 'Job Failed': {
      const failure = failureOf(job)
      if (!mayBeOfTheJob.has(failure.reason)) throw failure
      return { isDone: false, why: failure.message }
    }
    default: {
      const minutes = Math.round((now - Number(job.time_ref) * second) / minute)
      return minutes * minute > longestMs ? { isDone: false, why: `the job was not done after ${minutes} minutes` } : undefined
    }
  }
}

/** A failed job explains itself in fields of its own, by the codes of refusals and some negative ones. */
function failureOf({ error_code, error_subcode, error_message }: Rec): Failure {
  const error = { code: error_code ?? -2, error_subcode, message: error_message ?? 'no reason given' }
  return classify(meta, '', 'the report', { status: 400, headers: {}, body: { error } })
}
