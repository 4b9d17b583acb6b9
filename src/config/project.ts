/** The way in: a project's files → its manifest, or everything that is wrong with them. */
import { resolve } from 'node:path'
import { compile, type Manifest } from './compile.js'
import { type ConfigError, ConfigErrors, nearOrAll, Problems, plainPath, shown } from './errors.js'
import { decode, readWithin } from './files.js'
import { complain, complainOfKey, type Judged, parseAt } from './issues.js'
import { findFile, type Loaded, load } from './load.js'
import { nameProblem } from './names.js'
import { lookIn, readEnvFile, type Sources } from './references.js'
import { resolveTree } from './resolve.js'
import { overlay } from './schema.js'
import { secretKeys, secretValues, urlSecrets } from './secrets.js'
import { find, keysOf, overlaid, type Path, spotOf, type Tree, without } from './tree.js'
import type { Vendors } from './vendors.js'

export type { Manifest } from './compile.js'

export interface ProjectOptions {
  /** The project's file. Without it: `weir.yaml` in `dir`, else `config/weir.yaml` there. */
  file?: string | undefined
  /** Where to look, and what paths in messages are relative to. Default: the working directory. */
  dir?: string | undefined
  /** Default: the process's environment. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  vendors: Vendors
  /** The overlay to select. */
  environment?: string | undefined
  now: Date
}

/** A project that is right, and where its secrets come from. */
export interface Project {
  manifest: Manifest
  /** The first file, and all that were read. */
  file: string
  files: string[]
  /** For `resolveSettings` and `secretValues`; `baseDir` is the project's directory. */
  sources: Sources
  /** What must never be printed: values of secrets, as they are now. */
  secrets: string[]
}

const maxEnvironments = 20

/** Throws ConfigErrors (a Failure of reason `config`) with all that is wrong. */
export async function openProject(options: ProjectOptions): Promise<Project> {
  const { env = process.env, vendors } = options
  const dir = resolve(options.dir ?? '.')
  const found = findFile(dir, options.file)
  if ('lookedFor' in found) {
    const message = `no project file here: looked for ${found.lookedFor.join(' and ')} in ${plainPath(dir)}`
    throw new ConfigErrors([
      { file: 'weir.yaml', line: 1, column: 1, path: '', message, hint: '`weir init` writes one, --config names another' },
    ])
  }
  const problems = new Problems()
  const loaded = load(found.file, dir, problems)
  const sources: Sources = { env, envFile: resolve(loaded.root, '.env'), baseDir: loaded.root }
  const dotenv = readEnvFile(sources)
  if ('problem' in dotenv) problems.add({ file: loaded.shown, line: 1, column: 1 }, [], `the file ".env" beside it ${dotenv.problem}`)
  throwAny(problems, loaded)
  const manifest = judge(options, loaded, sources, problems)
  throwAny(problems, loaded)
  const secrets = Object.values(manifest.connections).flatMap(({ type, settings }) =>
    secretValues(settings, sources, secretKeys(vendors[type]!.settings)),
  )
  for (const { alerts = [] } of Object.values(manifest.syncs)) secrets.push(...secretValues({ alerts }, sources, ['url', 'smtp']))
  return {
    manifest,
    file: loaded.file,
    files: loaded.files,
    sources,
    secrets: [...new Set([...secrets, ...urlSecrets(manifest.warehouse.url)])],
  }
}

/** The manifest alone; see `openProject`. */
export const loadProject = async (options: ProjectOptions): Promise<Manifest> => (await openProject(options)).manifest

/** The same without throwing for what is wrong: for `weir validate` and editors. */
export async function validateOffline(
  options: ProjectOptions,
): Promise<{ project: Project; errors: [] } | { errors: readonly ConfigError[] }> {
  try {
    return { project: await openProject(options), errors: [] }
  } catch (error) {
    if (error instanceof ConfigErrors) return { errors: error.errors }
    throw error
  }
}

function throwAny(problems: Problems, { shown: first }: Loaded): void {
  if (problems.any) throw new ConfigErrors(problems.list(first))
}

/** Judges the project under the selected environment, and the other environments as far as one can without their variables. */
function judge({ vendors, environment, now }: ProjectOptions, loaded: Loaded, sources: Sources, problems: Problems): Manifest {
  const { root, dirs } = loaded
  const look = lookIn(sources)
  const base = without(loaded.tree, ['environments'])
  const environments = find(loaded.tree, ['environments'])
  const names = keysOf(environments)
  const judged = { tree: loaded.tree as Tree, problems }
  if (environments !== undefined && environments.kind !== 'map')
    problems.add(environments.at, ['environments'], 'expected environments by name')
  if (environment !== undefined && !names.includes(environment)) {
    const at = find(loaded.tree, ['environments'])?.at ?? loaded.tree.at
    problems.add(at, ['environments'], `no environment ${shown(environment)}`, nearOrAll(environment, names, 'environments'))
  }
  if (names.length > maxEnvironments) problems.add(loaded.tree.at, ['environments'], `more than ${maxEnvironments} environments`)
  const under = (name: string | undefined, strict: boolean): Manifest => {
    const found = name === undefined ? undefined : find(loaded.tree, ['environments', name])
    const over = found?.kind === 'map' ? found : undefined
    const tree = resolveTree(over ? overlaid(base, over) : base, { vendors, look, root, dirs, problems: strict ? problems : undefined })
    return compile({ judged: { tree, problems }, file: loaded.file, vendors, look, now, readText: readTextOf(loaded) })
  }
  const manifest = under(environment !== undefined && names.includes(environment) ? environment : undefined, true)
  for (const name of names.slice(0, maxEnvironments)) {
    const wrong = nameProblem(name)
    if (wrong !== undefined) complainOfKey(judged, ['environments', name], wrong)
    parseAt(overlay, judged, ['environments', name])
    if (problems.full) break
    if (name !== environment && find(loaded.tree, ['environments', name])?.kind === 'map') under(name, false)
  }
  return environment === undefined ? manifest : { ...manifest, environment }
}

const maxTextBytes = 262_144

/** Reads files that a key names (SQL), relative to the file that the key stands in; only such as lie in the project. */
function readTextOf({ root, dirs }: Loaded) {
  return (judged: Judged, path: Path, name: string): string | undefined => {
    const from = dirs.get(spotOf(judged.tree, path).file) ?? root
    const got = readWithin([root], resolve(from, name), maxTextBytes)
    const text = 'problem' in got ? got : decode(got.bytes)
    if ('text' in text) return text.text
    complain(judged, path, `the file ${shown(name)} ${text.problem}`)
    return undefined
  }
}
