/** One fenced block of a document. */
export interface Block {
  readonly language: string
  readonly text: string
  /** Where its fence stands, such as `README.md:12`. */
  readonly place: string
  /** The HTML comment on the line before its fence. */
  readonly marker?: string
  /** The block that follows with nothing but empty lines between: what is expected. */
  readonly next?: Block
}

/** The fenced blocks of a document, in order. */
export function blocksOf(name: string, markdown: string): Block[] {
  const lines = markdown.split('\n')
  const found: { block: Block; start: number; end: number }[] = []
  for (let start = 0; start < lines.length; start += 1) {
    const language = /^```(\w*)$/.exec(lines[start] ?? '')?.[1]
    if (language === undefined) continue
    const end = lines.indexOf('```', start + 1)
    if (end === -1) throw new Error(`${name}:${start + 1}: the block has no end`)
    const marker = /^<!-- (.*) -->$/.exec(lines[start - 1] ?? '')?.[1]
    const block = {
      language,
      text: `${lines.slice(start + 1, end).join('\n')}\n`,
      place: `${name}:${start + 1}`,
      ...(marker !== undefined && { marker }),
    }
    found.push({ block, start, end })
    start = end
  }
  return found.map(({ block, end }, index) => {
    const next = found[index + 1]
    const near = next !== undefined && lines.slice(end + 1, next.start).every((line) => line === '')
    return near ? { ...block, next: next.block } : block
  })
}

/** What is left without the fenced blocks. */
export function proseOf(markdown: string): string {
  return markdown.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, '')
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

/** The cells of every table row, without the heads and the rules below them. */
export function rowsOf(markdown: string): string[][] {
  const lines = proseOf(markdown).split('\n')
  return lines
    .filter((line, index) => {
      const rule = /^\|(?:-+\|)+$/
      return line.startsWith('|') && !rule.test(line) && !rule.test(lines[index + 1] ?? '')
    })
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}
