/** Which of the shared servers the chosen test files need: found by reading them, so that a run of one pure test starts none. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'

/** The keys that a chosen test file, or a file of `tests` that it imports, asks for by `inject('key')`. In watch mode all of them. */
export async function keysAskedFor<K extends string>(project: TestProject, keys: K[]): Promise<Set<K>> {
  // Not public, hence optional: without it every file counts as chosen.
  const { filenamePattern } = project.vitest as unknown as { filenamePattern?: string[] }
  if (project.vitest.config.watch) return new Set(keys)
  const { testFiles } = await project.globTestFiles(filenamePattern)
  const texts = readWithImports(testFiles)
  return new Set(keys.filter((key) => texts.some((text) => text.includes(`inject('${key}')`))))
}

function readWithImports(files: string[]): string[] {
  const seen = new Map<string, string>()
  const left = [...files]
  for (let file = left.pop(); file; file = left.pop()) {
    if (seen.has(file) || !existsSync(file) || !file.includes('/tests/')) continue
    const text = readFileSync(file, 'utf8')
    seen.set(file, text)
    for (const [, path] of text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)\.js'/g)) left.push(`${resolve(dirname(file), path as string)}.ts`)
  }
  return [...seen.values()]
}
