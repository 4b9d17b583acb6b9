import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Broken, head, whole } from './broken.js'

const including = (...names: string[]) => `${whole}include: [${names.map((name) => JSON.stringify(name)).join(', ')}]\n`

/** Includes, links, devices, references. */
export const files: Broken[] = [
  {
    name: 'no file at all',
    files: {},
    lines: [
      'weir.yaml:1:1: no project file here: looked for weir.yaml and config/weir.yaml in <dir>; `weir init` writes one, --config names another',
    ],
  },
  {
    name: 'a named file that does not exist',
    files: {},
    given: { file: 'other.yaml' },
    lines: ['other.yaml:1:1: the file does not exist'],
  },
  { name: 'a folder as the file', files: { 'weir.yaml/x': '' }, lines: ['weir.yaml:1:1: the file is a directory, not a file'] },
  {
    name: 'an included file that does not exist',
    files: including('syncs.yaml'),
    lines: ['weir.yaml:6:11: include: the file "syncs.yaml" does not exist'],
  },
  {
    name: 'a pattern that nothing matches',
    files: including('syncs/*.yaml'),
    lines: ['weir.yaml:6:11: include: no file matches "syncs/*.yaml"'],
  },
  {
    name: 'an include that is a map',
    files: `${whole}include: { a: b }\n`,
    lines: ['weir.yaml:6:10: include: a path, or a list of paths, is wanted here'],
  },
  {
    name: 'an include of numbers',
    files: `${whole}include: [1, a.yaml]\n`,
    lines: [
      'weir.yaml:6:11: include: a path, or a list of paths, is wanted here',
      'weir.yaml:6:14: include: the file "a.yaml" does not exist',
    ],
  },
  {
    name: 'an include that leads outside',
    files: including('../../../etc/passwd'),
    lines: [
      'weir.yaml:6:11: include: "../../../etc/passwd" leads outside the project directory; what is included lies beside or below the first file',
    ],
  },
  {
    name: 'an include of an absolute path',
    files: including('/etc/passwd'),
    lines: [
      'weir.yaml:6:11: include: "/etc/passwd" leads outside the project directory; what is included lies beside or below the first file',
    ],
  },
  {
    name: 'a pattern that leads outside',
    files: including('../*.yaml', '*/../../*.yaml', '/etc/*'),
    lines: [
      'weir.yaml:6:11: include: "../*.yaml" leads outside the project directory; what is included lies beside or below the first file',
      'weir.yaml:6:24: include: "*/../../*.yaml" has ".." after a wildcard',
      'weir.yaml:6:42: include: "/etc/*" leads outside the project directory; what is included lies beside or below the first file',
    ],
  },
  {
    name: 'a link to a file outside',
    files: including('passwd.yaml'),
    prepare: (dir) => symlinkSync('/etc/passwd', join(dir, 'passwd.yaml')),
    lines: ['weir.yaml:6:11: include: the file "passwd.yaml" leads outside the project directory'],
  },
  {
    name: 'a link to a folder outside',
    files: including('etc/passwd', 'etc/*'),
    prepare: (dir) => symlinkSync('/etc', join(dir, 'etc')),
    lines: [
      'weir.yaml:6:11: include: the file "etc/passwd" leads outside the project directory',
      'weir.yaml:6:25: include: no file matches "etc/*"',
    ],
  },
  {
    name: 'a link to itself',
    files: including('loop.yaml'),
    prepare: (dir) => symlinkSync('loop.yaml', join(dir, 'loop.yaml')),
    lines: ['weir.yaml:6:11: include: the file "loop.yaml" is a link that leads round in a circle'],
  },
  {
    name: 'a device',
    files: including('zero.yaml'),
    prepare: (dir) => symlinkSync('/dev/zero', join(dir, 'zero.yaml')),
    lines: ['weir.yaml:6:11: include: the file "zero.yaml" leads outside the project directory'],
  },
  {
    name: 'a device as the file',
    files: {},
    given: { file: '/dev/zero' },
    lines: ['/dev/zero:1:1: the file is a device, pipe or socket, not a file'],
  },
  {
    name: 'a pipe',
    files: including('pipe.yaml'),
    prepare: (dir) => void execFileSync('mkfifo', [join(dir, 'pipe.yaml')]),
    lines: ['weir.yaml:6:11: include: the file "pipe.yaml" is a device, pipe or socket, not a file'],
  },
  {
    name: 'a file that includes itself',
    files: `${whole}include: weir.yaml\n`,
    lines: ['weir.yaml:6:10: include: files include each other in a circle; weir.yaml → weir.yaml'],
  },
  {
    name: 'files that include each other in a circle',
    files: { 'weir.yaml': including('a.yaml'), 'a.yaml': 'include: sub/b.yaml\n', 'sub/b.yaml': 'include: ["../a.yaml"]\n' },
    lines: ['sub/b.yaml:1:11: include: files include each other in a circle; a.yaml → sub/b.yaml → a.yaml'],
  },
  {
    name: 'a sync in two files',
    files: { 'weir.yaml': including('more.yaml'), 'more.yaml': 'version: 1\nsyncs:\n  klaviyo: { from: klaviyo }\n' },
    lines: ['more.yaml:3:3: syncs.klaviyo: the name "klaviyo" is taken; it stands at weir.yaml:5:3 too'],
  },
  {
    name: 'defaults in two files',
    files: { 'weir.yaml': `${including('more.yaml')}defaults: {}\n`, 'more.yaml': 'defaults: { timezone: UTC }\n' },
    lines: ['more.yaml:1:1: defaults: the key "defaults" stands in two files; it stands at weir.yaml:7:1 too'],
  },
  {
    name: 'faults in an included file',
    files: { 'weir.yaml': including('more.yaml'), 'more.yaml': 'syncs:\n  two: { from: klavio }\nconnection: {}\n' },
    lines: [
      'more.yaml:2:16: syncs.two.from: no connection "klavio"; did you mean "klaviyo"?',
      'more.yaml:3:1: connection: unknown key "connection"; did you mean "connections"?',
    ],
  },
  {
    name: 'faults of syntax in two files',
    files: { 'weir.yaml': including('a.yaml', 'b.yaml'), 'a.yaml': 'syncs:\n\ta: 1\n', 'b.yaml': 'x: "\n' },
    lines: [
      'a.yaml:2:1: not valid YAML: a tab is used for indentation; YAML takes spaces only',
      'b.yaml:1:4: a text in " quotes that is not closed',
    ],
  },
  {
    name: 'an included file of 10 MB',
    files: () => ({ 'weir.yaml': including('big.yaml'), 'big.yaml': 'x'.repeat(10_000_000) }),
    lines: ['weir.yaml:6:11: include: the file "big.yaml" is larger than 1 MiB, the most that Weir reads'],
  },
  {
    name: 'five large files',
    files: () => ({
      'weir.yaml': including('*.yml'),
      ...Object.fromEntries([1, 2, 3, 4, 5].map((at) => [`${at}.yml`, `n${at}: "${'x'.repeat(1_000_000)}"\n`])),
    }),
    lines: ['weir.yaml:6:11: include: the files together are larger than 2 MiB, the most that Weir reads'],
  },
  {
    name: '300 files',
    files: () => ({
      'weir.yaml': including('*.yml'),
      ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`${at}.yml`, 'version: 1\n'])),
    }),
    lines: ['weir.yaml:6:11: include: more than 200 files'],
  },
  {
    name: 'a pattern made to be slow',
    files: () => ({ 'weir.yaml': including(`${'*a'.repeat(100)}b`), [`${'a'.repeat(200)}.yaml`]: '' }),
    lines: ['weir.yaml:6:11: include: no file matches "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*…"'],
  },
  {
    name: 'missing variables',
    files: `version: 1\nname: \${NAME_OF}\nconnections:\n  klaviyo:\n    type: klaviyo\n    api_key: \${KLAVIYO_API_KEY}\n    owner: "\${FIRST} and \${SECOND}"\nsyncs:\n  klaviyo: { from: klaviyo, every: "\${EVERY}" }\n`,
    lines: [
      'weir.yaml:2:7: name: the variable NAME_OF is not set; set it in the environment or in .env beside weir.yaml',
      'weir.yaml:6:14: connections.klaviyo.api_key: the variable KLAVIYO_API_KEY is not set; set it in the environment or in .env beside weir.yaml',
      'weir.yaml:7:12: connections.klaviyo.owner: the variable FIRST is not set; set it in the environment or in .env beside weir.yaml',
      'weir.yaml:7:12: connections.klaviyo.owner: the variable SECOND is not set; set it in the environment or in .env beside weir.yaml',
      'weir.yaml:9:36: syncs.klaviyo.every: the variable EVERY is not set; set it in the environment or in .env beside weir.yaml',
    ],
  },
  {
    name: 'a variable named as an inherited property',
    files: `${whole}name: \${toString}\n`,
    lines: ['weir.yaml:6:7: name: the variable toString is not set; set it in the environment or in .env beside weir.yaml'],
  },
  {
    name: 'a reference that is not closed',
    files: `${whole}name: \${NAME\n`,
    lines: ['weir.yaml:6:7: name: a reference "${" that is not closed'],
  },
  {
    name: 'a reference of another language',
    files: `${whole}name: "\${{ env.NAME }}"\n`,
    lines: ['weir.yaml:6:7: name: not a reference: use ${NAME}, ${NAME:-default} or ${file:path}, and $${ for a literal ${'],
  },
  {
    name: 'a reference with an operator of the shell',
    files: `${whole}name: "\${NAME:?no name}"\n`,
    lines: ['weir.yaml:6:7: name: not a reference: use ${NAME}, ${NAME:-default} or ${file:path}, and $${ for a literal ${'],
  },
  {
    name: 'a reference inside a reference',
    files: `${whole}name: "\${NAME:-\${OTHER}}"\n`,
    lines: ['weir.yaml:6:7: name: a reference inside a reference'],
  },
  {
    name: 'half a megabyte of opened references',
    files: () => `${whole}name: "${'${'.repeat(250_000)}"\n`,
    lines: ['weir.yaml:6:7: name: a reference "${" that is not closed'],
  },
  {
    name: 'references that make a value of gigabytes',
    files: () => `${whole}name: "${'${BIG}'.repeat(50_000)}"\n`,
    given: { env: { KEY: 'pk_1', BIG: 'x'.repeat(60_000) } },
    lines: ['weir.yaml:6:7: name: its references make a value larger than 64 KiB'],
  },
  {
    name: 'a value of a variable that does not fit, not repeated',
    files: `${head}syncs:\n  klaviyo: { from: klaviyo, every: "\${CANARY}" }\n`,
    given: { env: { KEY: 'pk_1', CANARY: 'canary' } },
    lines: ['weir.yaml:5:36: syncs.klaviyo.every: expected a duration of at least 1m, such as 15m, which the value of "${CANARY}" is not'],
  },
  {
    name: 'a referenced file that does not exist',
    files: whole.replace('${KEY}', '${file:key.txt}'),
    lines: ['weir.yaml:3:38: connections.klaviyo.api_key: the file of ${file:…} does not exist'],
  },
  {
    name: 'a referenced file outside',
    files: whole.replace('${KEY}', '${file:../../etc/passwd}'),
    lines: ['weir.yaml:3:38: connections.klaviyo.api_key: the file of ${file:…} leads outside the project directory'],
  },
  {
    name: 'a referenced file behind a link',
    files: whole.replace('${KEY}', '${file:key.txt}'),
    prepare: (dir) => symlinkSync('/etc/passwd', join(dir, 'key.txt')),
    lines: ['weir.yaml:3:38: connections.klaviyo.api_key: the file of ${file:…} leads outside the project directory'],
  },
  {
    name: 'a referenced device',
    files: whole.replace('${KEY}', '${file:/dev/stdin}'),
    lines: ['weir.yaml:3:38: connections.klaviyo.api_key: the file of ${file:…} leads outside the project directory'],
  },
  {
    name: 'a referenced file that is large',
    files: () => ({ 'weir.yaml': whole.replace('${KEY}', '${file:key.txt}'), 'key.txt': 'x'.repeat(70_000) }),
    lines: ['weir.yaml:3:38: connections.klaviyo.api_key: the file of ${file:…} is larger than 64 KiB, the most that Weir reads'],
  },
  {
    name: 'a .env outside',
    files: whole,
    prepare: (dir) => symlinkSync('/etc/passwd', join(dir, '.env')),
    lines: ['weir.yaml:1:1: the file ".env" beside it leads outside the project directory'],
  },
  {
    name: 'a .env that is a folder',
    files: whole,
    prepare: (dir) => mkdirSync(join(dir, '.env')),
    lines: ['weir.yaml:1:1: the file ".env" beside it is a directory, not a file'],
  },
  {
    name: 'a file name with a new line',
    files: `${whole}include: "*.yml"\n`,
    prepare: (dir) => writeFileSync(join(dir, 'a\nb.yml'), 'syncs: 1\n'),
    lines: ['a?b.yml:1:1: syncs: the key "syncs" stands in two files; it stands at weir.yaml:4:1 too'],
  },
]
