/** Names become schedule ids, workflow ids and schemas, so they are plain: they need no quotes anywhere. */

const rule = 'a name is a lower-case letter, then letters, digits and "_", at most 48 in all'

/** Why this cannot be the name of a connection or sync; undefined when it can. */
export const nameProblem = (name: string): string | undefined => (/^[a-z][a-z0-9_]{0,47}$/.test(name) ? undefined : rule)

/** Why this cannot be a project's name. */
export const projectNameProblem = (name: string): string | undefined =>
  /^[a-z][a-z0-9_-]{0,47}$/.test(name)
    ? undefined
    : 'a project name is a lower-case letter, then letters, digits, "_" and "-", at most 48 in all'

/** Why this cannot be a schema; PostgreSQL's own and Weir's are taken. */
export function schemaProblem(name: string): string | undefined {
  if (/^(pg_|_weir)/.test(name) || name === 'information_schema') return 'this schema belongs to the database or to Weir'
  return /^[a-z_][a-z0-9_]{0,62}$/.test(name) ? undefined : 'a schema is lower-case letters, digits and "_", at most 63 in all'
}
