#!/usr/bin/env node
/**
 * A person with a browser: opens the address, clicks on the sandbox's consent page, goes where that leads, and writes down what is shown
 * there. What the person does stands in the environment, as JSON: `{ out, without, decision, state, meanwhile }`.
 */
import { rename, writeFile } from 'node:fs/promises'

const { out, without = [], decision = 'allow', state, meanwhile } = JSON.parse(process.env.WEIR_TEST_PERSON ?? '{}')
const unescaped = (text) => text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
const address = process.argv[2]
const html = await (await fetch(address)).text()
const form = new URLSearchParams([['decision', decision]])
for (const [, box] of html.matchAll(/name="scope" value="([^"]+)"/g))
  if (!without.includes(unescaped(box))) form.append('scope', unescaped(box))
const action = new URL(unescaped(/<form method="post" action="([^"]+)"/.exec(html)[1]), address)
const back = new URL((await fetch(action, { method: 'POST', body: form, redirect: 'manual' })).headers.get('location'))
if (state !== undefined) back.searchParams.set('state', state)
if (meanwhile !== undefined) await fetch(meanwhile, { method: 'POST', body: '{}' })
const shown = await fetch(back)
// Whoever waits for the file finds it whole.
await writeFile(`${out}.new`, `${back.href}\n${shown.status} ${await shown.text()}`)
await rename(`${out}.new`, out)
