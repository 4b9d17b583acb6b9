/**
 * YAML text → a tree with positions, in bounded time and memory whatever the text is. YAML 1.2, core schema, one document.
 * Refused: tags, directives, keys that are not plain text, nesting beyond `limits.depth`, and what JavaScript objects inherit (`__proto__`).
 * Aliases may stand for values, and `<<: *base` (or a list of them) takes over keys that the map does not give itself.
 */
import { Composer, CST, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type ParsedNode, Parser } from 'yaml'
import { type Problems, type Spot, shown } from './errors.js'
import type { Entry, Mapping, Scalar, Tree } from './tree.js'

/** Far beyond any real project; a file over one of them is refused with that reason. */
export const limits = { depth: 50, tokens: 60_000, values: 20_000, syntaxErrors: 20 }

interface Source {
  file: string
  lines: LineCounter
  problems: Problems
}

/** Reads one document. Undefined when its syntax is wrong (reported), so that nothing is concluded from half of it. */
export function readYaml(text: string, file: string, problems: Problems): Tree | undefined {
  const source: Source = { file, lines: new LineCounter(), problems }
  source.lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) source.lines.addNewLine(at + 1)
  const strange = text.search(/[^\P{Cc}\t\n\r]/u)
  if (strange >= 0) return refuse(source, strange, 'a control character, which YAML does not allow')

  const tokens = tokensOf(text, source)
  if (!tokens) return undefined
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    stringKeys: false,
  })
  const [document, second] = [...composer.compose(tokens, true, text.length)] as (Document.Parsed | undefined)[]
  if (second) return refuse(source, second.range[0], 'a second document ("---"); a project file is one document')
  if (!document || reportSyntax(document, text, source)) return undefined
  if (document.contents === null) return { kind: 'map', at: spotAt(source, 0), entries: new Map() }
  return treeOf(document, source)
}

function refuse({ file, lines, problems }: Source, offset: number, message: string, hint?: string): undefined {
  problems.add(spotAt({ file, lines }, offset), [], message, hint)
}

function spotAt({ file, lines }: Pick<Source, 'file' | 'lines'>, offset: number): Spot {
  const { line, col } = lines.linePos(offset)
  return { file, line: Math.max(1, line), column: Math.max(1, col) }
}

/**
 * Lexes and parses token by token, so that depth and number are known before anything recursive runs. What one token alone shows to be
 * wrong ends it here, at its place.
 */
function tokensOf(text: string, source: Source): CST.Token[] | undefined {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  const open: number[] = []
  let [count, offset, errors] = [0, 0, 0]
  let [before, dollarAt, anchorAt] = ['', -1, -1]
  for (const lexeme of new Lexer().lex(text)) {
    // the text of a plain or block scalar follows a marker, and may look like anything
    const type = CST.tokenType(before) === 'scalar' ? 'text' : CST.tokenType(lexeme)
    before = lexeme
    count += 1
    if (count > limits.tokens) return refuse(source, offset, `more than ${limits.tokens} YAML tokens in one file`, 'split it with include:')
    if (type === 'flow-map-start' && open.length > 0 && dollarAt === offset) {
      return refuse(source, offset - 1, 'inside { } or [ ] a reference needs quotes', 'write "${NAME}"')
    }
    if (type === 'anchor' && anchorAt === offset) return refuse(source, offset, 'a second anchor (&) on one value')
    const fault = faultOf(lexeme, type)
    if (fault) return refuse(source, offset + fault.at, fault.message, fault.hint)
    if (type === 'flow-map-start' || type === 'flow-seq-start') open.push(offset)
    if (type === 'flow-map-end' || type === 'flow-seq-end') open.pop()
    if (type === 'flow-error-end' && open.length > 0) break
    for (const token of parser.next(lexeme)) {
      tokens.push(token)
      if (token.type === 'error') errors += 1
    }
    if (parser.stack.length > limits.depth) return refuse(source, offset, `nested more than ${limits.depth} levels deep`)
    if (errors > limits.syntaxErrors) break
    if (type !== 'doc-mode' && type !== 'flow-error-end' && type !== 'scalar') offset += lexeme.length
    if (type === 'text' && lexeme.endsWith('$')) dollarAt = offset
    if (type === 'anchor' || (type === 'space' && anchorAt === offset - lexeme.length)) anchorAt = offset
  }
  const opened = open.at(-1)
  if (opened !== undefined && errors === 0) return refuse(source, opened, `a ${text[opened]} that is not closed`)
  tokens.push(...parser.end())
  return tokens
}

/** What is wrong with one token by itself, and where in it. */
function faultOf(lexeme: string, type: string | null): { at: number; message: string; hint?: string } | undefined {
  if (type === 'tag')
    return { at: 0, message: 'a YAML tag ("!…"), which Weir does not read', hint: 'to have text, put the value in quotes' }
  if (type === 'directive-line') return { at: 0, message: 'a YAML directive ("%…"), which Weir does not read' }
  const quote = type === 'double-quoted-scalar' ? '"' : type === 'single-quoted-scalar' ? "'" : undefined
  if (quote === undefined) return undefined
  if (lexeme.length < 2 || !lexeme.endsWith(quote)) return { at: 0, message: `a text in ${quote} quotes that is not closed` }
  const bad = quote === '"' ? badEscape(lexeme) : -1
  const hint = 'write \\\\ for a backslash, or use single quotes'
  return bad < 0 ? undefined : { at: bad, message: 'an escape that YAML does not know, in double quotes', hint }
}

/** Offset of the first escape sequence that is none, or -1. */
function badEscape(quoted: string): number {
  if (!quoted.includes('\\')) return -1
  for (const match of quoted.matchAll(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0abtnvfre "/\\N_LP\t\r\n]|)/g))
    if (match[1] === '') return match.index
  return -1
}

/** What the parser's codes mean; never the text that was found, which may be a secret. */
const sayings: Record<string, [message: string, hint?: string]> = {
  TAB_AS_INDENT: ['a tab is used for indentation', 'YAML takes spaces only'],
  BLOCK_AS_IMPLICIT_KEY: ['a second ": " on one line', 'put the value in quotes'],
  UNEXPECTED_TOKEN: ['text that does not belong here', 'check quotes, commas and brackets'],
  BAD_INDENT: ['the indentation does not fit the lines above', 'keys of one map start in the same column'],
  BAD_SCALAR_START: ['a value may not start with this character', 'put the value in quotes'],
  BAD_ALIAS: ['an alias or anchor without a proper name', 'to have a text that starts with * or &, put it in quotes'],
  MISSING_CHAR: ['a comma, colon or space is missing', 'check quotes, commas and brackets'],
  KEY_OVER_1024_CHARS: ['a key of more than 1024 characters'],
  BLOCK_IN_FLOW: ['an indented map or list inside { } or [ ]', 'write it with { } or [ ] too'],
  ALIAS_PROPS: ['an anchor or tag on an alias'],
  MULTILINE_IMPLICIT_KEY: ['a key without ":"', 'write "key: value"'],
}

/** Reports the first fault of each line; what follows on a line is mostly its echo. */
function reportSyntax(document: Document.Parsed, text: string, source: Source): boolean {
  const lines = new Set<number>()
  for (const { code, message, pos } of document.errors.slice(0, 100)) {
    // a line that is indented wrongly is pointed at where its text begins
    const at = spotAt(source, code === 'BAD_INDENT' ? pos[0] + (/^ */.exec(text.slice(pos[0], pos[0] + 200))?.[0].length ?? 0) : pos[0])
    if (lines.has(at.line)) continue
    lines.add(at.line)
    const name = message.startsWith('Implicit map key') ? 'MULTILINE_IMPLICIT_KEY' : code
    const [saying, hint] = sayings[name] ?? ['something that does not fit here', 'check quotes, commas, brackets and indentation']
    source.problems.add(at, [], `not valid YAML: ${saying}`, hint)
  }
  return document.errors.length > 0
}

const reserved = ['__proto__', 'constructor', 'prototype']

/** The composed document as our own tree, aliases followed, every key checked. */
function treeOf(document: Document.Parsed, source: Source): Tree | undefined {
  const anchors = new Map<string, { tree: Tree | undefined; weight: number }>()
  let weight = 0
  let full = false
  const report = (at: Spot, path: readonly string[], message: string, hint?: string): void => source.problems.add(at, path, message, hint)
  const nothing = (at: Spot): Scalar => ({ kind: 'scalar', at, value: null })
  const weigh = (more: number, at: Spot, path: readonly string[]): void => {
    weight += more
    if (weight > limits.values && !full) report(at, path, `aliases and values make more than ${limits.values} values`)
    full ||= weight > limits.values
  }

  function visit(node: ParsedNode | null, path: readonly string[], key: Spot): Tree {
    const at = node && !(isScalar(node) && node.source === '' && node.type === 'PLAIN') ? spotAt(source, node.range[0]) : key
    if (full) return nothing(at)
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (!target) report(at, path, 'an alias (*) without an anchor (&) before it', 'to have a text that starts with *, put it in quotes')
      else if (!target.tree) report(at, path, 'an alias inside the very value that it stands for')
      weigh(target?.weight ?? 1, at, path)
      return target?.tree ?? { ...nothing(at), missing: true }
    }
    const before = weight
    weigh(1, at, path)
    const anchor = node && 'anchor' in node ? node.anchor : undefined
    if (anchor !== undefined) anchors.set(anchor, { tree: undefined, weight: 0 })
    const tree = build(node, path, at)
    if (anchor !== undefined) anchors.set(anchor, { tree, weight: weight - before })
    return tree
  }

  function build(node: ParsedNode | null, path: readonly string[], at: Spot): Tree {
    if (isSeq(node)) {
      return { kind: 'list', at, items: node.items.map((item, index) => visit(item as ParsedNode | null, [...path, String(index)], at)) }
    }
    if (!isMap(node))
      return { kind: 'scalar', at, value: scalarOf(isScalar(node) ? node.value : null, isScalar(node) ? node.source : undefined) }
    const entries = new Map<string, Entry>()
    const merged: { at: Spot; value: Tree }[] = []
    for (const pair of node.items) {
      const key = pair.key as ParsedNode | null
      const spot = key ? spotAt(source, key.range[0]) : at
      const name = isScalar(key) && key.source !== undefined ? (typeof key.value === 'string' ? key.value : key.source) : undefined
      if (name === undefined || name === '')
        report(spot, path, 'a key that is not plain text', name === '' ? undefined : 'write "name: value"')
      else if (reserved.includes(name)) report(spot, path, `the name ${shown(name)} is reserved`)
      else if (entries.has(name)) {
        const first = entries.get(name)?.key ?? spot
        report(spot, [...path, name], `the key ${shown(name)} stands twice`, `the first is at ${first.file}:${first.line}:${first.column}`)
      } else {
        const value = visit(pair.value as ParsedNode | null, name === '<<' ? path : [...path, name], spot)
        if (name === '<<') merged.push({ at: spot, value })
        else entries.set(name, { key: spot, value })
      }
    }
    for (const { at: spot, value } of merged) mergeInto(entries, value, spot, path)
    return { kind: 'map', at, entries } satisfies Mapping
  }

  /** `<<`: keys of the map itself win, then earlier ones. */
  function mergeInto(entries: Map<string, Entry>, value: Tree, spot: Spot, path: readonly string[]): void {
    for (const part of value.kind === 'list' ? value.items : [value]) {
      if (part.kind !== 'map') report(spot, path, '"<<" takes over the keys of a map', 'write <<: *name, where &name marks a map')
      else for (const [name, entry] of part.entries) if (!entries.has(name)) entries.set(name, entry)
    }
  }

  const tree = visit(document.contents, [], spotAt(source, 0))
  return full ? undefined : tree
}

/** Numbers that a double does not hold exactly stay text: an account's id keeps its digits. */
function scalarOf(value: unknown, source: string | undefined): Scalar['value'] {
  if (typeof value === 'number')
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : (source ?? String(value))
  return typeof value === 'string' || typeof value === 'boolean' ? value : null
}
