/** Reads CSV with commas and quotes; @throws RangeError where a quote is left open */
export function linesOf(text: string): string[][] {
  const lines: string[][] = []
  let cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/y
  for (let isEnd = text === ''; !isEnd; ) {
    const found = cell.exec(text)
    if (!found) throw new RangeError('a quote is left open')
    const [, quoted, bare = '', end] = found
    cells.push(quoted?.replaceAll('""', '"') ?? bare)
    isEnd = cell.lastIndex >= text.length
    if (end === ',' && !isEnd) continue
    if (end === ',') cells.push('')
    lines.push(cells)
    cells = []
  }
  return lines
}
