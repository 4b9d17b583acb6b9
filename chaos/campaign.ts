/** All modes one after the other, each in a world of its own: load with faults, load again with faults, load nothing. */

import { setTimeout as sleep } from 'node:timers/promises'
import { dice } from './dice.js'
import type { Fault } from './faults/fault.js'
import { judge, type Verdict } from './judge.js'
import { type LoadResult, type Outcome, runLoad } from './load.js'
import { type Load, type Mode, sync } from './modes.js'
import { planFaults } from './plan.js'
import { makeViews, startReader } from './reader.js'
import { openWorld, type World } from './world.js'

export interface Campaign {
  seed: number
  modes: readonly Mode[]
  kinds: readonly Fault[]
  /** Over all modes. */
  faults: number
  /** Records of each mode. */
  rows: number
  isFull: boolean
  /** The first of ten ports. */
  port: number
  log: (line: string) => void
}

export interface ModeReport {
  mode: string
  outcomes: Outcome[]
  verdict: Omit<Verdict, 'problems'>
  problems: string[]
  /** Times that the harness started the sync again, since a fault must end the run. */
  restarts: number
  refused: number
  pages: number
  seconds: number
  /** Kept where something did not hold. */
  folder?: string
}

export interface Report {
  seed: number
  startedAt: Date
  modes: ModeReport[]
  /** Kinds that this machine does not allow, and why. */
  skipped: string[]
  problems: string[]
}

/** Share of the records that change while the first load runs. */
const changedShare = 0.03

export async function runCampaign(campaign: Campaign): Promise<Report> {
  const { seed, modes, log } = campaign
  const startedAt = new Date()
  const skipped: string[] = []
  const kinds: Fault[] = []
  for (const fault of campaign.kinds) {
    const why = await fault.isImpossible?.()
    if (why === undefined) kinds.push(fault)
    else {
      skipped.push(`${fault.name}: ${why}`)
      log(`SKIPPED: ${fault.name}: ${why}`)
    }
  }
  const reports: ModeReport[] = []
  for (const [at, mode] of modes.entries()) {
    const faults = Math.floor((campaign.faults * (at + 1)) / modes.length) - Math.floor((campaign.faults * at) / modes.length)
    reports.push(await runMode({ ...campaign, kinds, faults }, mode))
  }
  const problems = reports.flatMap(({ mode, problems }) => problems.map((problem) => `${mode}: ${problem}`))
  return { seed, startedAt, modes: reports, skipped, problems }
}

async function runMode({ seed, kinds, faults, rows, isFull, port, log }: Campaign, mode: Mode): Promise<ModeReport> {
  const startedAt = performance.now()
  const say = (line: string) => log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${mode.name}: ${line}`)
  const plan = planFaults({ seed, mode: mode.name, readsAll: mode.readsAll, count: faults, kinds })
  const world = await openWorld({ mode, rows, port, log: say })
  const report: ModeReport = {
    mode: mode.name,
    outcomes: [],
    verdict: { standing: 0, lost: 0, doubled: 0, wrong: 0 },
    problems: [],
    restarts: 0,
    refused: 0,
    pages: 0,
    seconds: 0,
  }
  try {
    await runLoads(world, { seed, plan, isFull, rows }, report, say)
  } catch (error) {
    report.problems.push(`the harness failed: ${(error as Error).stack}`)
  }
  report.pages = world.vendor.pages
  const left = await world.close(report.problems.length > 0)
  report.problems.push(...left.map((command) => `a process is left: ${command}`))
  report.seconds = (performance.now() - startedAt) / 1000
  if (report.problems.length > 0) report.folder = world.folder
  for (const problem of report.problems) say(`PROBLEM ${problem}`)
  return report
}

async function runLoads(
  world: World,
  { seed, plan, isFull, rows }: { seed: number; plan: ReturnType<typeof planFaults>; isFull: boolean; rows: number },
  report: ModeReport,
  log: (line: string) => void,
): Promise<void> {
  const { mode, vendor } = world
  const { truth } = vendor
  const random = dice(seed, mode.name, 'changes')
  const add = (result: LoadResult, { problems, ...verdict }: Verdict) => {
    report.outcomes.push(...result.outcomes)
    report.problems.push(...result.problems, ...problems)
    report.restarts += result.starts - 1
    report.refused += result.refused
    report.verdict = {
      standing: verdict.standing,
      lost: report.verdict.lost + verdict.lost,
      doubled: report.verdict.doubled + verdict.doubled,
      wrong: report.verdict.wrong + verdict.wrong,
    }
  }
  let changed = 0
  /** A part of the changes after each of the faults; what is left of them before the second load. */
  const changeUpTo = (share: number) => {
    changed += truth.change(Math.max(0, changedShare * share - changed / rows), random)
  }

  const tryLoad = async (load: Load, records: number, onFault?: (share: number) => void) => {
    const reader = startReader(world, load === 'second')
    const these = plan.filter((planned) => planned.load === load)
    try {
      const result = await runLoad({ world, load, plan: these, seed, isFull, records, log, ...(onFault ? { onFault } : {}) })
      add(result, await judge(world, load, result.startedAt))
    } finally {
      report.problems.push(...(await reader.stop()))
    }
    log(`${load} load: ${report.verdict.standing} rows stand`)
  }
  await tryLoad('first', rows, changeUpTo)
  changeUpTo(1)
  log(`${changed} records have changed`)
  // A run reads up to the second in which it starts: the last changes must be older.
  await sleep(1_000)
  await makeViews(world)
  await tryLoad('second', mode.readsAll ? rows : changed)

  const nothing = await world.weir(['sync', sync, '--json']).ended
  const streams = nothing.code === 0 || nothing.code === 3 ? loadedIn(nothing.stdout) : undefined
  if (streams?.loaded !== 0 || streams.deleted !== 0)
    report.problems.push(
      `a load of nothing new should load 0: ended with ${nothing.code}, ${JSON.stringify(streams)} ${nothing.stderr.slice(-300)}`,
    )
}

function loadedIn(stdout: string): { loaded: number; deleted: number } {
  const { runs } = JSON.parse(stdout) as { runs: { streams: { loaded: number; deleted: number }[] }[] }
  const streams = runs.flatMap((run) => run.streams)
  return { loaded: streams.reduce((sum, { loaded }) => sum + loaded, 0), deleted: streams.reduce((sum, { deleted }) => sum + deleted, 0) }
}
