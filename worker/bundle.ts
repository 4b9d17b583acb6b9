import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

/** Where the workflows' entry is, in source and in dist/ alike. */
export const workflowsPath = fileURLToPath(new URL(`../workflows/index${extname(import.meta.url)}`, import.meta.url))
export const failureConverterPath = fileURLToPath(new URL(`../workflows/failure-converter${extname(import.meta.url)}`, import.meta.url))

/** What is bundled with the workflows; each replays the histories of all others. */
export interface Bundled {
  /** Spans, which cost memory in every workflow. */
  isTraced: boolean
  /** Failures as payloads, for the codec. */
  isEncrypted: boolean
}

/** Where the build leaves a bundle; found from every folder that is as deep as this one. */
export const bundlePath = ({ isTraced, isEncrypted }: Bundled): string => {
  const name = ['workflows', ...(isTraced ? ['traced'] : []), ...(isEncrypted ? ['encrypted'] : []), 'bundle.js'].join('.')
  return fileURLToPath(new URL(`../worker/${name}`, import.meta.url))
}

/** Bundles the workflows; fails where one reaches what it must not. */
export async function bundleWorkflows({ isTraced, isEncrypted }: Bundled): Promise<string> {
  const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error }
  const tracing = createRequire(import.meta.url).resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors')
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger: quiet,
    ...(isTraced ? { workflowInterceptorModules: [tracing] } : {}),
    ...(isEncrypted ? { failureConverterPath } : {}),
  })
  return code
}

// Ahead, so that a worker starts in half the time.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const isTraced of [false, true])
    for (const isEncrypted of [false, true]) {
      const bundled = { isTraced, isEncrypted }
      await writeFile(bundlePath(bundled), await bundleWorkflows(bundled))
    }
}
