/** Lets plain Node run the sources: a test that needs a process of its own starts it with `--import` of this file. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import ts from 'typescript'

const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }

export async function resolve(name, context, next) {
  const source = name.startsWith('.') && name.endsWith('.js') ? new URL(name.replace(/js$/, 'ts'), context.parentURL) : undefined
  return source && existsSync(source) ? { url: source.href, format: 'module', shortCircuit: true } : next(name, context)
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const text = await readFile(fileURLToPath(url), 'utf8')
  return { format: 'module', shortCircuit: true, source: ts.transpileModule(text, { compilerOptions }).outputText }
}

if (isMainThread) register(import.meta.url)
