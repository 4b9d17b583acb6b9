/** One workflow's history as lines for people: slices, retries, waits. What `_weir` knows as well is left to it. */
import type { Client } from '@temporalio/client'
import type { SliceInput, SliceReceipt } from '../src/core/activities.js'
import { awaited } from '../src/core/failure.js'
import { number } from './print.js'

type History = NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']>
type HistoryEvent = History[number]
type HistoryFailure = NonNullable<NonNullable<HistoryEvent['activityTaskStartedEventAttributes']>['lastFailure']>
type Payload = NonNullable<NonNullable<NonNullable<HistoryEvent['userMetadata']>['summary']>>

export interface LogLine {
  /** ISO instant. */
  at: string
  stream?: string
  what: 'start' | 'end' | 'slice' | 'retry' | 'wait' | 'pause' | 'schema' | 'dead letters' | 'quality' | 'watermark'
  text: string
}

export interface Told {
  lines: LogLine[]
  /** Workflows of the streams that this one started. */
  children: { workflow: string; run: string; stream: string }[]
}

interface Ref {
  workflow: string
  run: string
}

export async function historyOf(client: Client, { workflow, run }: Ref, stream?: string): Promise<Told> {
  const handle = client.workflow.getHandle(workflow, run)
  const { events } = await handle.fetchHistory()
  const told: Told = { lines: [], children: [] }
  const slices = new Map<string, string>()
  const say = (event: HistoryEvent, what: LogLine['what'], text: string) =>
    told.lines.push({ at: instantOf(event), ...(stream === undefined ? {} : { stream }), what, text })
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes
    if (scheduled?.activityType?.name === 'syncSlice') {
      const [input] = await decoded<SliceInput>(client, scheduled.input?.payloads)
      slices.set(String(event.eventId), input?.label ?? input?.slice ?? '')
    }
    const started = event.activityTaskStartedEventAttributes
    if (started?.lastFailure)
      say(
        event,
        'retry',
        `${slices.get(String(started.scheduledEventId)) ?? 'a step'}: attempt ${started.attempt}, since the one before failed: ${await messageOf(client, started.lastFailure)}`,
      )
    const completed = event.activityTaskCompletedEventAttributes
    const slice = slices.get(String(completed?.scheduledEventId))
    if (completed && slice !== undefined) {
      const [receipt] = await decoded<SliceReceipt>(client, completed.result?.payloads)
      if (receipt) say(event, 'slice', sliceText(slice, receipt))
    }
    const timer = event.timerStartedEventAttributes
    if (timer)
      say(event, 'wait', (await decoded<string>(client, [event.userMetadata?.summary]))[0] ?? `for ${timer.startToFireTimeout?.seconds} s`)
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution
    if (child?.workflowId && child.runId)
      told.children.push({ workflow: child.workflowId, run: child.runId, stream: child.workflowId.split('/').slice(2).join('/') })
  }
  return told
}

function sliceText(slice: string, receipt: SliceReceipt): string {
  const counts = `${number(receipt.read)} read, ${number(receipt.loaded)} loaded so far`
  if (receipt.halved) return `${slice}: too large for the vendor, two halves take its place`
  if (receipt.waitUntil) return `${slice}: ${counts}; waits for ${awaited(receipt.waitsFor)} until ${receipt.waitUntil}`
  return receipt.more ? `${slice}: ${counts}, goes on` : `${slice}: done, ${number(receipt.read)} read, ${number(receipt.loaded)} loaded`
}

const instantOf = ({ eventTime }: HistoryEvent): string =>
  new Date(Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1_000_000)).toISOString()

/** A failure's message, which is a payload where those are encrypted. */
async function messageOf(client: Client, { message, encodedAttributes }: HistoryFailure): Promise<string> {
  const [hidden] = await decoded<{ message?: string }>(client, [encodedAttributes])
  return hidden?.message ?? message ?? ''
}

/** What payloads hold, through the client's own converter. */
async function decoded<T>({ options }: Client, payloads: readonly (Payload | null | undefined)[] | null | undefined): Promise<T[]> {
  const { payloadConverter, payloadCodecs } = options.loadedDataConverter
  let plain = (payloads ?? []).filter((one): one is Payload => one != null)
  for (const codec of [...payloadCodecs].reverse()) plain = (await codec.decode(plain)) as Payload[]
  return plain.map((one) => payloadConverter.fromPayload<T>(one))
}
