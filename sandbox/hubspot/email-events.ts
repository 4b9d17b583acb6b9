/** What became of marketing e-mails, one person at a time: newest first, with instants in milliseconds. */
import { campaign } from '../company/catalogue.js'
import type { Company } from '../company/company.js'
import { place, uuid } from '../company/dice.js'
import type { Activity } from '../company/story.js'
import { Table } from '../kit/table.js'
import { portalId } from './access.js'
import { isSentHere } from './marketing.js'

const E = place('hubspot e-mail event')
const types: Partial<Record<Activity['metric'], string>> = {
  'Received Email': 'DELIVERED',
  'Opened Email': 'OPEN',
  'Clicked Email': 'CLICK',
}

interface EventRow {
  id: string
  createdMs: number
  shown: Record<string, unknown>
}

export class EmailEvents {
  private readonly rows = new Table<EventRow>()

  constructor(private readonly company: Company) {
    for (const one of company.activities) this.add(one)
    company.listen((happening) => {
      if (happening.kind === 'acted') this.add(happening.activity)
    })
  }

  private add({ n, metric, person, campaign: of, recordedAtMs }: Activity): void {
    const { seed, foundedMs } = this.company.times
    const type = types[metric]
    const who = this.company.people[person]
    if (type === undefined || of === null || !who?.inCrm || who.crmEmail === null) return
    const sent = campaign(seed, foundedMs, of)
    if (!isSentHere(sent, of)) return
    const id = uuid(seed, E, n)
    const shown = {
      id,
      type,
      created: recordedAtMs,
      recipient: who.crmEmail.trim().toLowerCase(),
      portalId,
      appId: 113,
      appName: 'Batch',
      emailCampaignId: 84_000_000 + of,
      sentBy: { id: uuid(seed, E, of), created: sent.sendAtMs ?? recordedAtMs },
      ...(type === 'DELIVERED' ? { response: '250 ok' } : { userAgent: 'Mozilla/5.0', deviceType: 'COMPUTER' }),
      ...(type === 'CLICK' ? { url: `https://shop.example/?utm_campaign=email-${of}` } : {}),
    }
    this.rows.put({ id, createdMs: recordedAtMs, shown })
  }

  /** Those of a range of instants, newest first. */
  within(fromMs: number, toMs: number): Record<string, unknown>[] {
    return [...this.rows.values()]
      .filter(({ createdMs }) => createdMs >= fromMs && createdMs < toMs)
      .sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1))
      .map(({ shown }) => shown)
  }
}
