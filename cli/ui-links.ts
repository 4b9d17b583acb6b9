import type { Session } from './session.js'

/** Where the Temporal UI shows a run's workflow; undefined where no UI is known, or of runs of older versions. */
export function workflowUrl({ uiUrl, temporal }: Session, { workflow, run }: { workflow?: string; run: string }): string | undefined {
  if (!uiUrl || !workflow) return undefined
  return `${uiUrl}/namespaces/${encodeURIComponent(temporal.options.namespace)}/workflows/${encodeURIComponent(workflow)}/${encodeURIComponent(run)}`
}
