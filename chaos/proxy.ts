/** A TCP proxy in this process: connections through it can be cut, slowed, and robbed of the answer to what they sent. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  port: number
  /** Resets every connection; gives their number. */
  cut: () => number
  /** From now on every piece of data waits so long, in either direction; 0 ends it. */
  delay: (ms: number) => void
  /** Calls `act` as something that holds `text` next passes from a client to the server; `cancel` takes that back. */
  onNextSent: (text: string, act: (link: Link) => void) => { cancel: () => void }
  stop: () => Promise<void>
}

/** One connection from client to server. */
export interface Link {
  /** What the server says next is dropped, and the connection is reset: the client never learns. Answers when it has happened. */
  loseAnswer: () => Promise<void>
}

/** @param port 0: whichever is free */
export async function startProxy(port: number, target: () => number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>()
  const watches = new Set<{ text: string; act: (link: Link) => void }>()
  let delayMs = 0

  const server = createServer((client) => {
    const upstream = connect({ port: target(), host: '127.0.0.1' })
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    let onLost: (() => void) | undefined
    const reset = () => {
      pairs.delete(pair)
      for (const socket of pair) if (!socket.destroyed) socket.resetAndDestroy()
      onLost?.()
    }
    for (const socket of pair) {
      socket.setNoDelay(true)
      socket.on('error', reset)
      socket.on('close', reset)
    }
    const link: Link = {
      loseAnswer: () =>
        new Promise((resolve) => {
          onLost = resolve
        }),
    }
    relay(client, upstream, () => delayMs, {
      sent: (data) => {
        for (const watch of watches) {
          if (!data.includes(watch.text)) continue
          watches.delete(watch)
          watch.act(link)
        }
      },
    })
    relay(upstream, client, () => delayMs, { isLost: () => onLost !== undefined, lost: reset })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const cut = () => {
    const open = [...pairs]
    for (const [client, upstream] of open) {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    return open.length
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    delay: (ms) => {
      delayMs = ms
    },
    onNextSent(text, act) {
      const watch = { text, act }
      watches.add(watch)
      return { cancel: () => watches.delete(watch) }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
}

interface Hooks {
  sent?: (data: Buffer) => void
  isLost?: () => boolean
  lost?: () => void
}

/** Passes data on, piece by piece and in order; a slow receiver stops the sender. */
function relay(from: Socket, to: Socket, delayMs: () => number, { sent, isLost, lost }: Hooks): void {
  let last = Promise.resolve()
  const pass = (data: Buffer) => {
    if (to.destroyed) return
    if (isLost?.()) return lost?.()
    // The hook comes first: an answer could be here before a callback of `write`.
    sent?.(data)
    if (!to.write(data)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
  let waiting = 0
  from.on('data', (data: Buffer) => {
    const ms = delayMs()
    if (ms === 0 && waiting === 0) return pass(data)
    waiting++
    const due = new Promise<void>((resolve) => setTimeout(resolve, ms))
    last = last
      .then(() => due)
      .then(() => {
        waiting--
        pass(data)
      })
  })
  from.on('end', () => void last.then(() => to.end()))
}
