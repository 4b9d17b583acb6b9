/** Runs work as a span of a trace, where somebody looks: names and numbers only, as for metrics. */
export type Trace = <T>(name: string, attributes: Attributes, work: (note: (attributes: Attributes) => void) => Promise<T>) => Promise<T>
type Attributes = Readonly<Record<string, string | number>>

export const noTrace: Trace = (_name, _attributes, work) => work(() => {})

/** A path without what may be somebody's: ids in it stand as `{id}`. */
export const pathShape = (path: string): string =>
  path
    .split('/')
    .map((part) => (/\d{4,}|@|%40|.{25,}/.test(part) && !/^v?\d{4}-\d\d/.test(part) ? '{id}' : part))
    .join('/')
