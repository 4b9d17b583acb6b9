import { spawn } from 'node:child_process'

/** How each system opens an address, without a shell: an address holds what a shell would take for its own. */
const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Opens an address in the person's browser (`BROWSER`, else the system's). Answers whether one could be started. */
export function openBrowser(address: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const [command, ...args] = env.BROWSER ? [env.BROWSER] : (openers[process.platform] ?? ['xdg-open'])
  return new Promise((resolve) => {
    const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}
