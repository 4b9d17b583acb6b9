import { Failure } from '../../core/failure.js'
import type { Mark } from '../../identity/marks.js'
import { formsOf, personMarks } from '../../identity/person-marks.js'
import type { ErasureReport, PersonKind } from '../../warehouse/contract/erasures.js'
import type { Warehouse } from '../../warehouse/driver.js'

/** Whom to erase, as they were named. It goes nowhere but into hashes, and into a look at what dead letters hold. */
export interface Named {
  kind: PersonKind
  text: string
  /** Of a phone number without one. */
  country?: string | undefined
  /** For `key`: the model that knows them by it. */
  model?: string | undefined
}

export interface EraseInput {
  warehouse: Warehouse
  mark: Mark
  named: Named
  /** Audiences by name, with the model of each. */
  models: Readonly<Record<string, string>>
  by: string
  isDryRun: boolean
}

/** Notes an erasure by keyed hashes. @throws Failure `config` for what is no address, no number, or a key of no model */
export async function erase({ warehouse, mark, named, models, by, isDryRun }: EraseInput): Promise<ErasureReport> {
  const { kind, text, country, model } = named
  if (kind === 'key') {
    if (model === undefined || !Object.values(models).includes(model))
      throw new Failure(
        'config',
        `A key is of a model: name it with --model (${[...new Set(Object.values(models))].join(', ') || 'there is none'}).`,
      )
    return warehouse.erasures.ask({ kind, marks: [], key: { model, key: text.trim() }, models, by, isDryRun })
  }
  const forms = formsOf(kind, text, country)
  if (forms.length === 0)
    throw new Failure(
      'config',
      kind === 'email'
        ? 'This is no e-mail address. Of a person whom a model knows by a key: --kind key --model NAME.'
        : 'This is no phone number with its country: write it as +49…, or name the country with --country.',
    )
  const marks = personMarks(mark, kind, text, { country })
  return warehouse.erasures.ask({ kind, marks, models, isIn: findsAny(kind, forms), by, isDryRun })
}

/** Finds an address or number in a text, and none that it is only a part of. */
function findsAny(kind: 'email' | 'phone', forms: readonly string[]): (text: string) => boolean {
  const plain = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const patterns = forms.map((form) =>
    kind === 'email'
      ? String.raw`(?<![\w.+-])${plain(form)}(?![\w-]|\.\w)`
      : String.raw`(?<!\d)${[...form.replace('+', '')].join(String.raw`[\s().-]{0,3}`)}(?!\d)`,
  )
  const pattern = new RegExp(patterns.join('|'), 'i')
  return (text) => pattern.test(text)
}
