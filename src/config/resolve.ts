/** References in the tree → values, but for secrets: those stay references, and are only looked up to see that they exist. */
import { relative, resolve } from 'node:path'
import { isAlertAddress } from './alerts.js'
import { type Problems, shown } from './errors.js'
import { type Look, partsOf, resolveText } from './references.js'
import { isSecretReference, secretKeys } from './secrets.js'
import { mapScalars, type Path, type Scalar, type Tree, textAt } from './tree.js'
import type { Vendors } from './vendors.js'

export interface Resolving {
  vendors: Vendors
  look: Look
  /** Where missing references are reported; without it they are only marked (environments that are not selected). */
  problems?: Problems | undefined
  root: string
  dirs: ReadonlyMap<string, string>
}

export function resolveTree(tree: Tree, resolving: Resolving): Tree {
  const secrets = new Map<string, readonly string[]>()
  const secretsOf = (connection: string): readonly string[] => {
    const type = resolved(textAt(tree, ['connections', connection, 'type']) ?? '', resolving.look)
    return Object.hasOwn(resolving.vendors, type) ? secretKeys(resolving.vendors[type]!.settings) : []
  }
  const isSecret = (path: Path): boolean => {
    if (isAlertAddress(path)) return true
    const [top, connection, key] = path
    if (top !== 'connections' || connection === undefined || key === undefined) return false
    if (!secrets.has(connection)) secrets.set(connection, secretsOf(connection))
    return secrets.get(connection)!.includes(key)
  }
  return mapScalars(tree, (scalar, path) => resolveScalar(scalar, path, isSecret(path), resolving))
}

function resolveScalar(scalar: Scalar, path: Path, secret: boolean, { look, problems, root, dirs }: Resolving): Scalar {
  if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar
  const text = rebased(scalar.value, dirs.get(scalar.at.file) ?? root, root)
  const parts = partsOf(text)
  const isLiteral = Array.isArray(parts) && parts.every((part) => typeof part === 'string')
  if (secret && isLiteral) return scalar
  const written = { written: scalar.value }
  const bad = (problem: string, hint?: string, always = false): Scalar => {
    if (always || problems) problems?.add(scalar.at, path, problem, hint)
    return { ...scalar, ...written, missing: true }
  }
  if (secret && Array.isArray(parts) && !isSecretReference(text)) {
    return bad('a secret is one reference and nothing else, without a default', 'write "${NAME}" or "${file:path}"')
  }
  const found = resolveText(text, look)
  if ('problems' in found) {
    for (const { problem, hint } of found.problems) bad(problem, hint)
    return { ...scalar, ...written, missing: true }
  }
  if (secret && found.value === '') return bad(`${shown(scalar.value)} is set, but empty`)
  if (secret) return { ...scalar, ...written, value: text }
  return isLiteral ? { ...scalar, value: found.value } : { ...scalar, ...written, value: found.value }
}

const resolved = (text: string, look: Look): string => {
  const found = resolveText(text, look)
  return 'value' in found ? found.value : ''
}

/** `${file:…}` relative to the file that names it → relative to the project. */
const rebased = (text: string, dir: string, root: string): string =>
  dir === root
    ? text
    : text.replace(/(?<!\$)\$\{file:([^/}][^}]*)\}/g, (_, path: string) => `\${file:${relative(root, resolve(dir, path))}}`)
