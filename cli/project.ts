import { dirname } from 'node:path'
import type { Manifest } from '../src/config/compile.js'
import { didYouMean } from '../src/config/errors.js'
import { openProject } from '../src/config/project.js'
import { Failure } from '../src/core/failure.js'
import type { Common } from './usage/command.js'
import { loadVendors } from './vendors.js'

export interface Project {
  file: string
  manifest: Manifest
  /** Where the project file lies; `.env` and `.weir` lie beside it. */
  projectDir: string
}

/** The project file, checked and compiled. */
export async function loadManifest({ config, env }: Common): Promise<Project> {
  const { manifest, file } = await openProject({ file: config, environment: env, vendors: await loadVendors(), now: new Date() })
  return { manifest, file, projectDir: dirname(file) }
}

/** The syncs that a command names, all of them without a name. */
export function chosenSyncs({ syncs }: Manifest, names: readonly string[]): string[] {
  const known = Object.keys(syncs)
  for (const name of names) {
    if (known.includes(name)) continue
    const near = didYouMean(name, known)
    throw new Failure(
      'config',
      `No sync "${name}" in the project file${near ? `; did you mean "${near}"?` : `. It has ${known.join(', ') || 'none'}.`}`,
    )
  }
  return names.length > 0 ? [...names] : known
}

/** Refuses streams that a chosen sync does not read. @throws Failure `config` */
export function chosenStreams(manifest: Manifest, names: readonly string[], streams: readonly string[] = []): void {
  for (const name of chosenSyncs(manifest, names)) {
    const known = Object.keys(manifest.syncs[name]!.streams)
    const wrong = streams.find((stream) => !known.includes(stream))
    if (wrong === undefined) continue
    const near = didYouMean(wrong, known)
    throw new Failure(
      'config',
      `Sync ${name} does not read a stream "${wrong}"${near ? `; did you mean "${near}"?` : `. It reads ${known.join(', ')}.`}`,
    )
  }
}
