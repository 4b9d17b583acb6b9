import { describe, expect, it } from 'vitest'
import { createLog, withBindings } from '../../../src/observe/log.js'
import { createRedact } from '../../../src/observe/redact.js'

const secret = 'sk"live\\canary\n0123456789=='

function written(isPretty = false, level = 'debug') {
  const lines: string[] = []
  const log = createLog({ level, redact: createRedact(() => [secret]), isPretty, write: (text) => lines.push(text) })
  return { log, lines, line: (at = 0) => JSON.parse(lines[at]!) as Record<string, unknown> }
}

describe('the log', () => {
  it('writes a line of JSON with time, level, message and fields', () => {
    const { log, lines, line } = written()
    log.info('worker ready', { queue: 'weir' })
    expect(lines).toHaveLength(1)
    expect(line()).toEqual({ time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/), level: 'info', msg: 'worker ready', queue: 'weir' })
  })

  it('puts what is bound on every line of the work, across waits, and on no other', async () => {
    const { log, line } = written()
    const work = (stream: string) =>
      withBindings({ run: 'r', stream }, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        await withBindings({ slice: 's' }, async () => log.warn(stream))
      })
    await Promise.all([work('a'), work('b')])
    log.info('outside')
    expect(line(0)).toMatchObject({ msg: 'a', run: 'r', stream: 'a', slice: 's' })
    expect(line(1)).toMatchObject({ msg: 'b', run: 'r', stream: 'b', slice: 's' })
    expect(line(2)).not.toHaveProperty('run')
  })

  it('holds no secret in any form, no address, no phone number, whatever the field', () => {
    const { log, lines } = written()
    const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), `Bearer ${secret}`]
    for (const form of forms) log.warn(`said ${form}`, { deep: { form }, error: new Error(form) })
    log.error('sarah.mason@example.com', { phone: '+49 151 2345678', password: 'hunter2', deep: { token: 'abc' } })
    const text = lines.join('')
    expect(text).not.toMatch(/canary|0123456789|sarah|2345678|hunter2|abc/)
    expect(Buffer.from(text, 'base64').toString()).not.toContain('canary')
    expect(text).toContain('"stack"')
  })

  it('keeps to its level', () => {
    const { log, lines } = written(false, 'warn')
    log.debug('no')
    log.info('no')
    log.warn('yes')
    expect(lines).toHaveLength(1)
  })

  it('is for people at a terminal', () => {
    const { log, lines } = written(true)
    log.error('failed', { stream: 'a', counts: { read: 1 } })
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d ERROR failed stream=a counts={"read":1}\n$/)
  })
})
