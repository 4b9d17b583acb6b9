/** A plan that is kept: reviewed today, applied later, as long as what it was made from stands. */
import { readFile, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import type { AudienceDefinition } from '../../src/core/audience.js'
import type { Definition, Schedule } from '../../src/core/definition.js'
import { Failure } from '../../src/core/failure.js'
import type { Change } from './change.js'
import { standOf, type Wanted, type World } from './world.js'

export interface PlanFile {
  weirPlan: 1
  madeAt: string
  prune: boolean
  wanted: Wanted
  /** What there was, part by part. */
  stand: Record<string, string>
  changes: Change[]
}

/** What of a file must be right before it is trusted; definitions are as the compiler made them. */
const definitionOf = <D>() => z.custom<D>((value) => typeof value === 'object' && value !== null)
const applied = <D>() =>
  z.object({ definition: definitionOf<D>(), hash: z.string(), schedule: definitionOf<Schedule>().optional(), after: z.array(z.string()) })

const shape = z.object({
  weirPlan: z.literal(1),
  madeAt: z.string(),
  prune: z.boolean(),
  wanted: z.object({
    project: z.string(),
    environment: z.string().optional(),
    syncs: z.record(z.string(), applied<Definition>()),
    audiences: z.record(z.string(), applied<AudienceDefinition>()).default({}),
  }),
  stand: z.record(z.string(), z.string()),
  changes: z.array(z.custom<Change>((value) => typeof value === 'object' && value !== null)),
})

/** Secrets in it are references, as in `_weir.definitions`. */
export async function savePlan(path: string, plan: Omit<PlanFile, 'weirPlan'>): Promise<void> {
  await writeFile(path, `${JSON.stringify({ weirPlan: 1, ...plan } satisfies PlanFile, null, 2)}\n`, { mode: 0o600 })
}

/** @throws Failure `config` for what is no plan */
export async function readPlan(path: string): Promise<PlanFile> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Failure('config', `The plan ${path} cannot be read: ${error.message}`, {}, { cause: error })
  })
  const parsed = shape.safeParse(json(text))
  if (!parsed.success) throw new Failure('config', `${path} is not a plan: make one with \`weir plan --out ${path}\`.`)
  return parsed.data as PlanFile
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @throws Failure `config` when what the plan was made from has changed since */
export function refuseMoved({ stand, madeAt }: PlanFile, world: World): void {
  const now = standOf(world)
  const moved = [...new Set([...Object.keys(stand), ...Object.keys(now)])].filter((part) => stand[part] !== now[part])
  if (moved.length === 0) return
  throw new Failure(
    'config',
    `The plan of ${madeAt} does not hold any more: ${moved.join(', ')} changed since it was made. Make a new one with \`weir plan\`.`,
  )
}
