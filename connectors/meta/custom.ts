import * as z from 'zod'
import type { Rec, Stream } from '../../src/core/types.js'
import { defineStreams } from '../../src/extract/define.js'
import { levels, report } from './insights.js'
import { figures } from './streams.js'

const names = z.array(z.string().regex(/^[a-z0-9_]+$/, 'a name at Meta has small letters, digits and _')).max(100)

/** A report by day that the user defines. Which breakdowns go together, Meta decides. */
export const custom = z.object({
  level: z.enum(levels).meta({ description: 'What a row is of: account, campaign, adset or ad.' }),
  fields: names.min(1).optional().meta({ description: 'Figures and names to ask for; without it those of the standard reports.' }),
  breakdowns: names
    .refine((given) => !given.includes('dma'), 'Meta removed "dma" on 2026-06-22: take comscore_market')
    .optional()
    .meta({ description: 'Into what rows are split: age, gender, country, region, publisher_platform …; part of the key.' }),
  action_breakdowns: names.optional().meta({ description: 'Into what the lists of actions are split: action_device, action_reaction …' }),
  action_attribution_windows: z
    .array(z.enum(['1d_click', '7d_click', '28d_click', '1d_view', '1d_ev', 'default', 'incrementality']))
    .min(1)
    .optional()
    .meta({ description: 'Windows that stand beside each action’s own value; 7d_view and 28d_view are empty since January 2026.' }),
})

/** @param given as `custom` has it */
export function customReport(name: string, given: Rec): Stream {
  const { level, fields, breakdowns = [], action_breakdowns = [], action_attribution_windows } = custom.parse(given)
  const declared = report({
    description: `Your report by ${[level, 'day', ...breakdowns].join(', ')}.`,
    level,
    fields: fields ?? figures(level, breakdowns.length > 0),
    breakdowns,
    actionBreakdowns: action_breakdowns,
    ...(action_attribution_windows ? { windows: action_attribution_windows } : {}),
  })
  return defineStreams({ [name]: declared })[name]!
}
