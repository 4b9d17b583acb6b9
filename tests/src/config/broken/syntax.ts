import type { Broken } from './broken.js'

const deep = (open: string, times: number) => `version: 1\nsyncs: ${open.repeat(times)}`
const anchors = (count: number) =>
  Array.from(
    { length: count },
    (_, at) =>
      `a${at}: &a${at} [${
        at === 0
          ? 'x'
          : Array(9)
              .fill(`*a${at - 1}`)
              .join(', ')
      }]`,
  ).join('\n')

/** Files that are not YAML, or YAML that is meant to hurt. */
export const syntax: Broken[] = [
  { name: 'an empty file', files: '', lines: ['weir.yaml:1:1: the file is empty; it begins with "version: 1"; `weir init` writes one'] },
  {
    name: 'a file of comments',
    files: '# nothing\n\n',
    lines: ['weir.yaml:1:1: the file is empty; it begins with "version: 1"; `weir init` writes one'],
  },
  {
    name: 'a file that is a text',
    files: 'hello\n',
    lines: ['weir.yaml:1:1: a project file is a map of keys; it begins with "version: 1"'],
  },
  {
    name: 'a file that is a list',
    files: '- version: 1\n',
    lines: ['weir.yaml:1:1: a project file is a map of keys; it begins with "version: 1"'],
  },
  {
    name: 'a tab for indentation',
    files: 'version: 1\nconnections:\n\tklaviyo: {}\n',
    lines: ['weir.yaml:3:1: not valid YAML: a tab is used for indentation; YAML takes spaces only'],
  },
  {
    name: 'tabs on two lines',
    files: 'version: 1\nconnections:\n\tklaviyo:\n\t\ttype: klaviyo\n',
    lines: [
      'weir.yaml:3:1: not valid YAML: a tab is used for indentation; YAML takes spaces only',
      'weir.yaml:4:1: not valid YAML: a tab is used for indentation; YAML takes spaces only',
    ],
  },
  {
    name: 'a key that stands twice',
    files: 'version: 1\nname: one\nname: two\nsyncs: {}\nconnections: {}\n',
    lines: ['weir.yaml:3:1: name: the key "name" stands twice; the first is at weir.yaml:2:1'],
  },
  {
    name: 'a key that stands twice, deep inside',
    files:
      'version: 1\nconnections:\n  klaviyo:\n    type: klaviyo\n    api_key: ${KEY}\n    type: hubspot\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:6:5: connections.klaviyo.type: the key "type" stands twice; the first is at weir.yaml:4:5'],
  },
  {
    name: 'indentation that fits nothing',
    files: 'version: 1\nconnections:\n    klaviyo:\n        type: klaviyo\n      api_key: x\n',
    lines: ['weir.yaml:5:7: not valid YAML: the indentation does not fit the lines above; keys of one map start in the same column'],
  },
  {
    name: 'a bracket that is not closed',
    files: 'version: 1\ninclude: [a.yaml, b.yaml\n',
    lines: ['weir.yaml:2:10: a [ that is not closed'],
  },
  {
    name: 'quotes that are not closed',
    files: 'version: 1\nname: "acme\n',
    lines: ['weir.yaml:2:7: a text in " quotes that is not closed'],
  },
  {
    name: 'a second colon on one line',
    files: 'version: 1\nname: acme: marketing\n',
    lines: ['weir.yaml:2:7: not valid YAML: a second ": " on one line; put the value in quotes'],
  },
  {
    name: 'an unknown escape',
    files: 'version: 1\nname: "a\\qb"\n',
    lines: ['weir.yaml:2:9: an escape that YAML does not know, in double quotes; write \\\\ for a backslash, or use single quotes'],
  },
  {
    name: '400,000 bad escapes',
    files: () => `version: 1\nname: "${'\\x'.repeat(400_000)}"\n`,
    lines: ['weir.yaml:2:8: an escape that YAML does not know, in double quotes; write \\\\ for a backslash, or use single quotes'],
  },
  {
    name: 'a value that starts with a percent sign',
    files: 'version: 1\nname: %acme\n',
    lines: ['weir.yaml:2:7: not valid YAML: a value may not start with this character; put the value in quotes'],
  },
  {
    name: 'a value that starts with an at sign',
    files: 'version: 1\nname: @acme\n',
    lines: ['weir.yaml:2:7: not valid YAML: a value may not start with this character; put the value in quotes'],
  },
  {
    name: 'a key without a colon',
    files: 'version: 1\nconnections\n',
    lines: ['weir.yaml:2:1: not valid YAML: a key without ":"; write "key: value"'],
  },
  {
    name: 'a key that is a list',
    files: 'version: 1\n? [a, b]\n: 1\n',
    lines: ['weir.yaml:2:3: a key that is not plain text; write "name: value"'],
  },
  { name: 'a key that is nothing', files: 'version: 1\n: 1\n', lines: ['weir.yaml:2:1: a key that is not plain text'] },
  {
    name: 'a second document',
    files: 'version: 1\n---\nversion: 1\n',
    lines: ['weir.yaml:2:1: a second document ("---"); a project file is one document'],
  },
  {
    name: 'a YAML directive',
    files: '%YAML 1.1\n---\nversion: 1\n',
    lines: ['weir.yaml:1:1: a YAML directive ("%…"), which Weir does not read'],
  },
  {
    name: 'a custom tag',
    files: 'version: 1\nname: !env NAME\n',
    lines: ['weir.yaml:2:7: a YAML tag ("!…"), which Weir does not read; to have text, put the value in quotes'],
  },
  {
    name: 'a tag that other readers run as code',
    files: 'version: 1\nname: !!js/function "function () {}"\n',
    lines: ['weir.yaml:2:7: a YAML tag ("!…"), which Weir does not read; to have text, put the value in quotes'],
  },
  {
    name: 'a tag of binary data',
    files: 'version: 1\nname: !!binary aGVsbG8=\n',
    lines: ['weir.yaml:2:7: a YAML tag ("!…"), which Weir does not read; to have text, put the value in quotes'],
  },
  {
    name: 'an alias without an anchor',
    files: 'version: 1\nname: *acme\n',
    lines: ['weir.yaml:2:7: name: an alias (*) without an anchor (&) before it; to have a text that starts with *, put it in quotes'],
  },
  {
    name: 'an alias to itself',
    files: 'version: 1\nsyncs: &all { klaviyo: *all }\nconnections: {}\n',
    lines: ['weir.yaml:2:24: syncs.klaviyo: an alias inside the very value that it stands for'],
  },
  {
    name: 'an alias bomb',
    files: () => `version: 1\n${anchors(12)}\n`,
    lines: ['weir.yaml:7:10: a5.0: aliases and values make more than 20000 values'],
  },
  {
    name: 'an alias bomb by merge keys',
    files: () =>
      `version: 1\nm0: &m0 { a: 1 }\n${Array.from({ length: 40 }, (_, at) => `m${at + 1}: &m${at + 1} { x: *m${at}, y: *m${at} }`).join('\n')}\n`,
    lines: ['weir.yaml:14:25: m12.y: aliases and values make more than 20000 values'],
  },
  {
    name: 'a merge key with a text',
    files:
      'version: 1\nconnections:\n  klaviyo:\n    <<: base\n    type: klaviyo\n    api_key: ${KEY}\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:4:5: connections.klaviyo: "<<" takes over the keys of a map; write <<: *name, where &name marks a map'],
  },
  {
    name: '__proto__ as a key',
    files: 'version: 1\n__proto__: { polluted: true }\nconnections: {}\nsyncs: {}\n',
    lines: ['weir.yaml:2:1: the name "__proto__" is reserved'],
  },
  {
    name: 'constructor as a name',
    files: 'version: 1\nconnections:\n  constructor: { prototype: { polluted: true } }\nsyncs: {}\n',
    lines: ['weir.yaml:3:3: connections: the name "constructor" is reserved'],
  },
  { name: '100,000 open brackets', files: () => deep('[', 100_000), lines: ['weir.yaml:2:56: nested more than 50 levels deep'] },
  { name: '100,000 open braces', files: () => deep('{a: ', 100_000), lines: ['weir.yaml:2:200: nested more than 50 levels deep'] },
  {
    name: '100,000 dashes',
    files: () => `version: 1\nsyncs:\n  ${'- '.repeat(100_000)}`,
    lines: ['weir.yaml:3:99: nested more than 50 levels deep'],
  },
  {
    name: '1,000 levels of indentation',
    files: () => `${Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')}\n`,
    lines: ['weir.yaml:50:50: nested more than 50 levels deep'],
  },
  {
    name: '100,000 brackets too many',
    files: () => `version: 1\n${']'.repeat(100_000)}\n`,
    lines: ['weir.yaml:2:1: not valid YAML: text that does not belong here; check quotes, commas and brackets'],
  },
  {
    name: '250,000 documents',
    files: () => '---\n'.repeat(250_000),
    lines: ['weir.yaml:30000:4: more than 60000 YAML tokens in one file; split it with include:'],
  },
  {
    name: '100,000 keys',
    files: () => `version: 1\n${Array.from({ length: 100_000 }, (_, at) => `k${at}: 1`).join('\n')}\n`,
    lines: ['weir.yaml:8572:6: more than 60000 YAML tokens in one file; split it with include:'],
  },
  {
    name: '5,000 unknown keys',
    files: () => `version: 1\nconnections: {}\nsyncs: {}\n${Array.from({ length: 5_000 }, (_, at) => `k${at}: 1`).join('\n')}\n`,
    lines: [
      'weir.yaml:4:1: k0: unknown key "k0"; allowed here: version, name, warehouse, temporal, include, defaults, environments, connections, syncs, models, audiences',
      'weir.yaml:5:1: k1: unknown key "k1"; allowed here: version, name, warehouse, temporal, include, defaults, environments, connections, syncs, models, audiences',
      'weir.yaml:6:1: k2: unknown key "k2"; allowed here: version, name, warehouse, temporal, include, defaults, environments, connections, syncs, models, audiences',
    ],
    more: true,
  },
  {
    name: '20,000 anchors on one value',
    files: () => `version: 1\nname: ${'&a '.repeat(20_000)}\n`,
    lines: ['weir.yaml:2:10: a second anchor (&) on one value'],
  },
  {
    name: 'a file of 10 MB',
    files: () => `version: 1\nname: "${'x'.repeat(10_000_000)}"\n`,
    lines: ['weir.yaml:1:1: the file is larger than 1 MiB, the most that Weir reads'],
  },
  { name: 'a NUL byte', files: 'version: 1\nname: ac\0me\n', lines: ['weir.yaml:2:9: a control character, which YAML does not allow'] },
  {
    name: 'an escape sequence for terminals',
    files: 'version: 1\nname: \u001b[31mred\n',
    lines: ['weir.yaml:2:7: a control character, which YAML does not allow'],
  },
  {
    name: 'Latin-1 instead of UTF-8',
    files: { 'weir.yaml': Buffer.from('version: 1\nname: caf\xe9\n', 'latin1') },
    lines: ['weir.yaml:2:10: the file is not UTF-8 from here on'],
  },
  {
    name: 'UTF-16',
    files: { 'weir.yaml': Buffer.from('\uFEFFversion: 1\n', 'utf16le') },
    lines: ['weir.yaml:1:1: the file is UTF-16; save it as UTF-8'],
  },
  {
    name: 'half a character at the end',
    files: { 'weir.yaml': Buffer.concat([Buffer.from('version: 1\nname: é'), Buffer.from([0xe2, 0x82])]) },
    lines: ['weir.yaml:2:8: the file is not UTF-8 from here on'],
  },
  {
    name: 'a program',
    files: { 'weir.yaml': Buffer.from('7f454c460201010000000000', 'hex') },
    lines: ['weir.yaml:1:1: a control character, which YAML does not allow'],
  },
  {
    name: 'a bare reference inside braces',
    files: 'version: 1\nconnections:\n  klaviyo: { type: klaviyo, api_key: ${KEY} }\n',
    lines: ['weir.yaml:3:38: inside { } or [ ] a reference needs quotes; write "${NAME}"'],
  },
  {
    name: 'a bare reference inside brackets',
    files: 'version: 1\ninclude: [${FILE}]\n',
    lines: ['weir.yaml:2:11: inside { } or [ ] a reference needs quotes; write "${NAME}"'],
  },
  {
    name: 'a key with characters for terminals and a new line',
    files: 'version: 1\n"a\\e[31m\\nb": 1\nconnections: {}\nsyncs: {}\n',
    lines: [
      'weir.yaml:2:1: ["a\\u{1b}[31m\\u{a}b"]: unknown key "a\\u{1b}[31m\\u{a}b"; allowed here: version, name, warehouse, temporal, include, defaults, environments, connections, syncs, models, audiences',
    ],
  },
]
