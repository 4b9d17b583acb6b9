import { expect } from 'vitest'

/** Boxes of a consent page in the sandbox. */
const boxes = (html: string) => [...html.matchAll(/name="scope" value="([^"]+)"/g)].map((match) => unescaped(match[1]!))
const unescaped = (text: string) => text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))

export interface Click {
  decision?: 'allow' | 'deny'
  /** Boxes that the person unticks. */
  without?: readonly string[]
}

/** What a person does at a consent page of the sandbox, and where the browser is sent then: nobody has gone there yet. */
export async function click(address: string, { decision = 'allow', without = [] }: Click = {}): Promise<URL> {
  const page = await fetch(address, { redirect: 'manual' })
  const html = await page.text()
  if (page.status !== 200) expect.fail(`the consent page says: ${page.status} ${html} ${page.headers.get('location') ?? ''}`)
  const action = new URL(unescaped(/<form method="post" action="([^"]+)"/.exec(html)![1]!), address)
  const form = new URLSearchParams([['decision', decision]])
  for (const scope of boxes(html)) if (!without.includes(scope)) form.append('scope', scope)
  const answer = await fetch(action, { method: 'POST', body: form, redirect: 'manual' })
  expect(answer.status).toBe(302)
  return new URL(answer.headers.get('location')!)
}
