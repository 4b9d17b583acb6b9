import type { WorkerOptions } from '@temporalio/worker'

/**
 * Worker deployment versioning, where a build id is set: a run stays with the build that began it, so builds may differ in anything. Off by
 * default: with it nothing is given out until a build is made the current one (docs/guides/upgrade.md).
 */
export const versioning = ({
  buildId,
  queue,
}: {
  buildId: string | undefined
  queue: string
}): Pick<WorkerOptions, 'workerDeploymentOptions'> =>
  buildId === undefined
    ? {}
    : {
        workerDeploymentOptions: {
          version: { deploymentName: queue, buildId },
          useWorkerVersioning: true,
          defaultVersioningBehavior: 'PINNED',
        },
      }
