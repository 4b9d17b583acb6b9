/** A message as each kind of receiver takes it. Pure. */
import type { AlertItem, AlertMessage } from '../core/alerts.js'

/** What belongs to the sending: the message's id, the same in every attempt, and its run in the Temporal UI where that is known. */
export interface Envelope {
  id: string
  link?: string
}

/** The body of a webhook. Fields may be added, never changed. */
export const webhookBody = (message: AlertMessage, { id, link }: Envelope): Record<string, unknown> => ({
  id,
  ...message,
  ...(link === undefined ? {} : { link }),
})

/** Slack's bounds: 3,000 letters a section, 150 a header (docs.slack.dev, block reference, as known in 2026). Items that do not fit are counted. */
const longestSection = 2_900
const longestHeader = 150

/** Text and blocks, as Slack's incoming webhooks take them. */
export function slackBody(message: AlertMessage, { id, link }: Envelope): Record<string, unknown> {
  const { title, project, severity, acts, command, event } = message
  const sign = event === 'resolved' ? ':white_check_mark:' : severity === 'error' ? ':red_circle:' : ':warning:'
  const lines: string[] = []
  let more = message.more
  let length = 0
  for (const item of message.items) {
    const line = `• ${escaped(itemText(item))}`
    if (length + line.length > longestSection) more += 1
    else {
      lines.push(line)
      length += line.length + 1
    }
  }
  if (more > 0) lines.push(`… and ${more} more`)
  const next = [...(acts === 'nobody' ? [] : [`*Acts:* ${escaped(acts)}`]), `*Next:* \`${escaped(command)}\``]
  return {
    text: escaped(`${title} [${project}]`),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: `${sign} ${title}`.slice(0, longestHeader), emoji: true } },
      section(lines.join('\n')),
      section([...next, ...(link === undefined ? [] : [`<${link}|The run in the Temporal UI>`])].join('\n')),
      { type: 'context', elements: [{ type: 'mrkdwn', text: escaped(`${project} · ${message.at} · ${id}`) }] },
    ],
  }
}

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } })
/** The three signs that Slack reads as its own. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const itemText = ({ stream, message, since }: AlertItem): string =>
  `${stream === undefined ? '' : `${stream}: `}${message} (since ${since})`

/** Subject and text of a mail. */
export function mailOf(message: AlertMessage, { id, link }: Envelope): { subject: string; text: string } {
  const { title, project, severity, items, more, acts, command, event, at } = message
  return {
    subject: `[${project}] ${event === 'resolved' ? '' : `${severity}: `}${title}`,
    text: [
      `${title}.`,
      '',
      ...items.map((item) => `- ${itemText(item)}`),
      ...(more > 0 ? [`… and ${more} more`] : []),
      '',
      ...(acts === 'nobody' ? [] : [`Acts: ${acts}`]),
      `Next: ${command}`,
      ...(link === undefined ? [] : [`Run: ${link}`]),
      '',
      `${at}, message ${id}`,
    ].join('\n'),
  }
}
