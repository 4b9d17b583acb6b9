import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const bin = fileURLToPath(new URL('../../bin/weir', import.meta.url))

it('a command whose reader has had enough ends as it would have', async () => {
  // It is gone before the first word.
  const script = `'${bin}' catalog | true; echo \${PIPESTATUS[@]}`
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script])
  expect(stdout).toBe('0 0\n')
  expect(stderr).toBe('')
})
