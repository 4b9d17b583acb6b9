import { expect, it } from 'vitest'
import { statusAddress } from '../../../cli/dev/stack.js'

it.each([
  ['http://127.0.0.1:8300', '127.0.0.1:8300'],
  ['http://0.0.0.0:80', '0.0.0.0:80'],
  ['http://[::1]:80', '[::1]:80'],
  ['', 'off'],
])('the worker of %s serves its status page at %s', (url, address) => expect(statusAddress(url)).toBe(address))
