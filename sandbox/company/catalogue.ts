/** What the company has few of: the lists, segments, flows and templates of its e-mail tool, its sales stages and its staff. */
import { Dice, place } from './dice.js'

export const day = 86_400_000
export const hour = 3_600_000

/** `share` of the people who are in it when the sandbox opens. */
export interface Group {
  name: string
  share: number
  createdDaysBefore: number
  /** Everyone who is in it at opening came in one import, at one instant. */
  imported?: boolean
}

export const lists: readonly Group[] = [
  { name: 'Newsletter', share: 0.6, createdDaysBefore: 728 },
  { name: 'VIP', share: 0.04, createdDaysBefore: 700 },
  { name: 'Trade fair 2026', share: 0.03, createdDaysBefore: 190, imported: true },
  { name: 'Überraschungen & Aktionen', share: 0.15, createdDaysBefore: 420 },
  { name: 'SMS – Black Friday', share: 0.08, createdDaysBefore: 360 },
  { name: 'Back in stock', share: 0.05, createdDaysBefore: 300 },
  { name: 'Waitlist, spring', share: 0.02, createdDaysBefore: 240 },
  { name: 'Referral programme', share: 0.06, createdDaysBefore: 510 },
  { name: 'Loyalty club', share: 0.2, createdDaysBefore: 600 },
  { name: '日本のお客様', share: 0.1, createdDaysBefore: 130 },
  { name: 'Podcast listeners', share: 0.03, createdDaysBefore: 90 },
  { name: 'Beta testers', share: 0.01, createdDaysBefore: 60 },
  { name: 'Old import (do not use)', share: 0.12, createdDaysBefore: 727, imported: true },
  { name: 'Empty list', share: 0, createdDaysBefore: 10 },
]

export const segments: readonly Group[] = [
  { name: 'Engaged (30 days)', share: 0.25, createdDaysBefore: 700 },
  { name: 'Engaged (90 days)', share: 0.4, createdDaysBefore: 700 },
  { name: 'Lapsed customers', share: 0.18, createdDaysBefore: 650 },
  { name: 'Bought twice', share: 0.12, createdDaysBefore: 500 },
  { name: 'High value', share: 0.05, createdDaysBefore: 480 },
  { name: 'Never opened', share: 0.1, createdDaysBefore: 400 },
  { name: 'Gold & platinum', share: 0.3, createdDaysBefore: 380 },
  { name: 'France', share: 0.15, createdDaysBefore: 300 },
  { name: 'Birthday this month', share: 0.08, createdDaysBefore: 200 },
  { name: 'Abandoned cart', share: 0.06, createdDaysBefore: 150 },
  { name: 'Suppressed', share: 0.07, createdDaysBefore: 120 },
  { name: 'Nobody yet', share: 0, createdDaysBefore: 5 },
]

export const metrics = [
  'Received Email',
  'Opened Email',
  'Clicked Email',
  'Active on Site',
  'Viewed Product',
  'Added to Cart',
  'Placed Order',
  'Fulfilled Order',
  'Refunded Order',
  'Subscribed to List',
  'Unsubscribed',
  'Bounced Email',
  'Marked Email as Spam',
  'Received Text Message',
  'Checkout Started',
  'Submitted Review',
  'Größe geändert',
  'Updated Email Preferences',
] as const
export type Metric = (typeof metrics)[number]

/** Which metrics the day brings, and how often. */
export const metricWeights: readonly (readonly [Metric, number])[] = [
  ['Received Email', 0.28],
  ['Opened Email', 0.2],
  ['Clicked Email', 0.07],
  ['Active on Site', 0.12],
  ['Viewed Product', 0.13],
  ['Added to Cart', 0.06],
  ['Placed Order', 0.08],
  ['Fulfilled Order', 0.04],
  ['Refunded Order', 0.006],
  ['Received Text Message', 0.008],
  ['Submitted Review', 0.006],
]

export const flows = [
  { name: 'Welcome series', trigger: 'Added to List', status: 'live' },
  { name: 'Abandoned cart', trigger: 'Metric', status: 'live' },
  { name: 'Browse abandonment', trigger: 'Metric', status: 'live' },
  { name: 'Win-back', trigger: 'Metric', status: 'manual' },
  { name: 'Birthday', trigger: 'Date Based', status: 'live' },
  { name: 'Back in stock', trigger: 'Low Inventory', status: 'draft' },
  { name: 'Price drop', trigger: 'Price Drop', status: 'draft' },
  { name: 'Post-purchase', trigger: 'Metric', status: 'live' },
  { name: 'VIP welcome', trigger: 'Added to List', status: 'live' },
  { name: 'Old welcome (2024)', trigger: 'Added to List', status: 'manual', archived: true },
  { name: 'Unfinished', trigger: 'Unconfigured', status: 'draft' },
  { name: 'Sunset', trigger: 'Metric', status: 'draft', archived: true },
] as const

export const templateCount = 26

export interface Stage {
  id: string
  label: string
  closed: boolean
  probability: number
}

export interface Pipeline {
  id: string
  label: string
  stages: readonly Stage[]
}

const stage = (id: string, label: string, probability: number, closed = false): Stage => ({ id, label, probability, closed })

export const dealPipelines: readonly Pipeline[] = [
  {
    id: 'default',
    label: 'Sales Pipeline',
    stages: [
      stage('appointmentscheduled', 'Appointment Scheduled', 0.2),
      stage('qualifiedtobuy', 'Qualified To Buy', 0.4),
      stage('presentationscheduled', 'Presentation Scheduled', 0.6),
      stage('decisionmakerboughtin', 'Decision Maker Bought-In', 0.8),
      stage('contractsent', 'Contract Sent', 0.9),
      stage('closedwon', 'Closed Won', 1, true),
      stage('closedlost', 'Closed Lost', 0, true),
    ],
  },
  {
    id: '8134421',
    label: 'Renewals',
    stages: [
      stage('23419872', 'Due', 0.5),
      stage('23419873', 'Negotiating', 0.7),
      stage('23419874', 'Renewed', 1, true),
      stage('23419875', 'Churned', 0, true),
    ],
  },
]

export const ticketPipelines: readonly Pipeline[] = [
  {
    id: '0',
    label: 'Support Pipeline',
    stages: [stage('1', 'New', 0), stage('2', 'Waiting on contact', 0), stage('3', 'Waiting on us', 0), stage('4', 'Closed', 0, true)],
  },
]

export const staff = [
  { first: 'Nora', last: 'Berg', gone: false },
  { first: 'Tomás', last: 'Ruiz', gone: false },
  { first: 'Ingrid', last: 'Løvaas', gone: false },
  { first: 'Kofi', last: 'Mensah', gone: false },
  { first: 'Ella', last: 'Price', gone: true },
  { first: 'Arjun', last: 'Rao', gone: false },
  { first: 'Left', last: 'Company', gone: true },
] as const

export interface Campaign {
  n: number
  name: string
  channel: 'email' | 'sms'
  createdAtMs: number
  /** Null while it is a draft without a date. */
  sendAtMs: number | null
  archived: boolean
}

/** Two campaigns a week, the first three days after the company began. The n-th one needs no other. */
export function campaign(seed: number, foundedMs: number, n: number): Campaign {
  const dice = new Dice(seed, place('campaign'), n)
  // Sent at a full hour: many messages share that instant.
  const sendAtMs = Math.floor((foundedMs + (n + 1) * 3.5 * day) / hour) * hour
  const words = [
    'Spring sale',
    'New arrivals',
    'Last chance',
    'Café stories',
    'Weekend edit',
    '50 % off – today',
    'How it is made',
    'Restock: “Glow”',
  ]
  return {
    n,
    name: `${dice.pick(words)} #${n + 1}`,
    channel: dice.chance(0.12) ? 'sms' : 'email',
    createdAtMs: sendAtMs - day * (2 + dice.below(5)) - dice.below(hour),
    sendAtMs: dice.chance(0.04) ? null : sendAtMs,
    archived: dice.chance(0.2),
  }
}
