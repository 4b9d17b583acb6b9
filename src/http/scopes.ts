/** A permission of the vendor's; of several names the first is asked for, and any of them does. */
export type Scope = string | readonly [string, ...string[]]

/** For people: all the names that would do. */
export const nameOf = (scope: Scope): string => (typeof scope === 'string' ? scope : scope.join(' or '))

export const isGranted = (scope: Scope, granted: readonly string[]): boolean =>
  (typeof scope === 'string' ? [scope] : scope).some((one) => granted.includes(one))
