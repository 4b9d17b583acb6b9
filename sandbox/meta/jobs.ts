/** Report jobs: submitted, polled, read. Their progress is counted in polls, so that tests need not wait. */
import { day } from '../company/catalogue.js'
import type { Account } from './accounts.js'
import { refuse, unknownNode } from './errors.js'
import { dateOf, type Question, rowsOf } from './insights.js'
import type { At, Json } from './nodes.js'
import type { JobFate, MetaSwitches } from './switches.js'

export interface Job {
  id: string
  token: string
  account: Account
  asked: Question
  /** The report is of this instant. */
  at: At
  fate: JobFate | undefined
  /** Polls to come until it is done. */
  pollsLeft: number
  polls: number
}

/** Run ids are forgotten after thirty days. */
const lifeMs = 30 * day
/** Polls for which a lagging job says 100 % and runs on. */
const laggingPolls = 2
const keptReports = 12

export class Jobs {
  private readonly jobs = new Map<string, Job>()
  private readonly reports = new Map<string, Json[]>()
  private last = 6_023_920_149_049n

  constructor(private readonly switches: MetaSwitches) {}

  submit(token: string, asked: Question, at: At): Json {
    const id = String(++this.last)
    const fate = this.switches.jobFates.shift()
    const pollsLeft = this.switches.jobPolls + (fate === 'lagging' ? laggingPolls : fate === 'race' ? 1 : 0)
    this.jobs.set(id, { id, token, account: at.account, asked, at, fate, pollsLeft, polls: 0 })
    return { report_run_id: id }
  }

  find(id: string, nowMs: number): Job | undefined {
    const job = this.jobs.get(id)
    if (job && nowMs - job.at.nowMs > lifeMs) throw unknownNode(id)
    return job
  }

  /** One look: it brings the job a step on. */
  poll(job: Job, nowMs: number): Json {
    job.polls++
    if (job.fate === 'race' && job.polls === 1) throw unknownNode(job.id)
    const common = {
      id: job.id,
      account_id: job.account.id,
      time_ref: Math.floor(job.at.nowMs / 1000),
      date_start: dateOf(job.asked.sinceMs),
      date_stop: dateOf(job.asked.untilMs),
    }
    const state = (status: string, percent: number) => ({
      ...common,
      async_status: status,
      async_percent_completion: percent,
      is_running: status === 'Job Running',
    })
    if (job.fate === 'never') return state('Job Not Started', 0)
    if (job.pollsLeft > 0) {
      job.pollsLeft--
      // Percent arrives before the status does.
      if (job.pollsLeft === 0 || job.fate === 'lagging') return state('Job Running', 100)
      return job.polls === 1 ? state('Job Not Started', 0) : state('Job Running', 57)
    }
    if (job.fate === 'skipped') return state('Job Skipped', 0)
    if (job.fate === 'failed')
      return { ...state('Job Failed', 0), ...failure(-2, 2_490_547, 'Report failed', 'Generating the report failed. Try again later.') }
    if (job.fate === 'too_large' || this.rowsOf(job).length > this.switches.rowsMax)
      return { ...state('Job Failed', 0), ...failure(-3, 1_504_045, 'Report too large', 'Der Bericht ist zu groß.') }
    return { ...state('Job Completed', 100), time_completed: Math.floor(nowMs / 1000) }
  }

  /** The rows of a finished job. */
  read(job: Job): Json[] {
    const isDone = job.pollsLeft === 0 && (job.fate === undefined || job.fate === 'lagging' || job.fate === 'race')
    if (!isDone) throw refuse({ code: 2601, message: '(#2601) Error accessing adreport job.' })
    return this.rowsOf(job)
  }

  /** Reports of the same question and instant are the same; a few are kept, since they are read in pages. */
  private rowsOf({ asked, at }: Job): Json[] {
    const key = JSON.stringify([asked, [...(asked.campaigns ?? [])], at.account.id, at.nowMs])
    const rows = this.reports.get(key) ?? rowsOf(asked, at, false)
    this.reports.delete(key)
    this.reports.set(key, rows)
    if (this.reports.size > keptReports) this.reports.delete(this.reports.keys().next().value as string)
    return rows
  }
}

const failure = (code: number, subcode: number, message: string, said: string): Json => ({
  error_code: code,
  error_subcode: subcode,
  error_message: message,
  error_user_title: message,
  error_user_msg: said,
})
