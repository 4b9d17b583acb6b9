import { randomBytes } from 'node:crypto'
import { defaultPayloadConverter } from '@temporalio/common'
import { expect, it } from 'vitest'
import { freePort } from '../../cli/dev/ports.js'
import { payloadCodec } from '../../worker/codec.js'
import { weirHere } from '../support/command.js'

it('weir codec decrypts for the Temporal UI, and for no other page', async () => {
  const key = randomBytes(32).toString('base64')
  const ui = 'http://localhost:8233'
  const port = await freePort(28_234)
  const command = weirHere(['codec', '--port', String(port), '--ui', ui, '--json'], { WEIR_KEY: key })
  const ask = (body: unknown, origin = ui) =>
    fetch(`http://127.0.0.1:${port}/decode`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await expect
    .poll(() =>
      ask({ payloads: [] }).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200)
  const [sealed] = await payloadCodec(key, true).encode([defaultPayloadConverter.toPayload('a summary')!])
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const sent = {
    metadata: Object.fromEntries(Object.entries(sealed!.metadata!).map(([name, value]) => [name, base64(value)])),
    data: base64(sealed!.data!),
  }
  const answer = await ask({ payloads: [sent] })
  expect(answer.headers.get('access-control-allow-origin')).toBe(ui)
  const { payloads } = (await answer.json()) as { payloads: { data: string }[] }
  expect(Buffer.from(payloads[0]!.data, 'base64').toString()).toBe('"a summary"')
  expect((await ask({ payloads: [sent] }, 'https://elsewhere.example')).status).toBe(404)
  const broken = await ask({
    payloads: [{ ...sent, metadata: { ...sent.metadata, 'encryption-key-id': base64(Buffer.from('00000000')) } }],
  })
  expect(await broken.json()).toMatchObject({ message: expect.stringContaining('encrypted with the WEIR_KEY 00000000') })
  process.emit('SIGTERM')
  expect((await command).code).toBe(0)
})
