/** What becomes of the next report job, where it is not simply done. */
export type JobFate =
  /** `Job Failed` with an error that may pass (-2/2490547). */
  | 'failed'
  /** `Job Failed` since the report is too large (-3/1504045). */
  | 'too_large'
  /** `Job Skipped`: expired, to be submitted again. */
  | 'skipped'
  /** It says 100 % and goes on running for some polls. */
  | 'lagging'
  /** It never gets beyond `Job Not Started`. */
  | 'never'
  /** For one poll the run seems not to exist. */
  | 'race'

/** Oddities that can be switched on while the sandbox runs. */
export interface MetaSwitches {
  /** Polls that find a report job unfinished. */
  jobPolls: number
  /** Fates of the jobs to come, in order; after them all is well. */
  jobFates: JobFate[]
  /** Rows beyond which a report is too large, as a job or at once. */
  rowsMax: number
  /** Nodes times fields beyond which a page is too large. */
  cellsMax: number
  /** Told in the usage headers, unless the real use is higher. */
  usagePercent: number
  tier: 'standard_access' | 'development_access'
  /** What calls of a Marketing API version that has expired get. */
  oldVersions: 'upgrade' | 'fail'
  /** Ad accounts by their digits → account_status (1 active, 2 disabled, 101 closed). */
  accountStatus: Record<string, number>
  /** Ad accounts by their digits that the token no longer reaches. */
  goneAccounts: string[]
  /** Are the terms of custom audiences accepted? */
  areTermsAccepted: boolean
  /** Audiences by id whose names Meta has flagged: no edit is taken. */
  flaggedAudiences: string[]
  /** Values of uploaded rows that are found invalid, whatever they look like → why. */
  invalidValues: Map<string, string>
}

export const freshSwitches = (jobPolls: number): MetaSwitches => ({
  jobPolls,
  jobFates: [],
  rowsMax: 100_000,
  cellsMax: 60_000,
  usagePercent: 0,
  tier: 'standard_access',
  oldVersions: 'upgrade',
  accountStatus: {},
  goneAccounts: [],
  areTermsAccepted: true,
  flaggedAudiences: [],
  invalidValues: new Map(),
})
