import { connect, createServer } from 'node:net'
import { Failure } from '../../src/core/failure.js'

const howMany = 200

/** The wanted port when nobody listens on it, else the next free one above. */
export async function freePort(wanted: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let port = wanted; port < Math.min(wanted + howMany, 65_536); port++) if (!taken.has(port) && (await isFree(port))) return port
  throw new Failure(
    'config',
    `No port is free on 127.0.0.1 from ${wanted} to ${wanted + howMany - 1}. End what holds them, or choose another port.`,
  )
}

/** Asked in both ways: some systems let us listen on the loopback address beside one who listens on all addresses. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port)) && !(await isListening({ port }))
}

const canListen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })

/** Does anybody accept connections there? */
export const isListening = ({ host = '127.0.0.1', port }: { host?: string; port: number }): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.setTimeout(500, () => end(false))
  })
